import { Ajv } from 'ajv';
import { type Static, Type } from 'typebox';
import type { CoreLink } from '../core-link.ts';
import { CoreUnreachableError } from '../effects/core.ts';
import type { ReportPorts } from './ask-figures.ts';

const amount = Type.String({ pattern: '^-?[0-9]{1,30}$' });
const balancesBody = Type.Object({
  items: Type.Array(
    Type.Object({
      account: Type.String(),
      last4: Type.String(),
      currency: Type.String(),
      opening: Type.Optional(amount),
      closing: Type.Optional(amount),
      closingDay: Type.Optional(Type.String()),
    }),
  ),
});
const balance = Type.Object({ posted: amount });
const ajv = new Ajv();
const isBalances = ajv.compile<Static<typeof balancesBody>>(balancesBody);
const isBalance = ajv.compile<{ readonly posted: string }>(balance);

/** What a report asks of a core in another process, as a service with the scopes `feeds:read` and `accounts:read`. */
export function httpReportPorts(core: Pick<CoreLink, 'ask' | 'url'>): ReportPorts {
  const asked = (path: string, of: string): ReturnType<CoreLink['ask']> =>
    core.ask({ method: 'GET', path, correlationId: `reconciliation:report:${of}` });
  const unexpected = (status: number): CoreUnreachableError =>
    new CoreUnreachableError(`the core at ${core.url} answered ${status} with something that is no balance`);
  return {
    statementBalances: async (date, profile) => {
      const query = new URLSearchParams({ date, profile });
      const { status, body } = await asked(`/v1/statement-balances?${query.toString()}`, date);
      if (status !== 200 || !isBalances(body)) throw unexpected(status);
      return body.items.map(({ opening, closing, ...account }) => ({
        ...account,
        ...(opening !== undefined && { opening: BigInt(opening) }),
        ...(closing !== undefined && { closing: BigInt(closing) }),
      }));
    },
    posted: async (accountId) => {
      const { status, body } = await asked(`/v1/accounts/${encodeURIComponent(accountId)}/balance`, accountId);
      if (status === 404) return undefined;
      if (status !== 200 || !isBalance(body)) throw unexpected(status);
      return BigInt(body.posted);
    },
  };
}
