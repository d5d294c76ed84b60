import type { CoreLink } from '../core-link.ts';
import { type Core, type CoreAnswer, CoreUnreachableError } from './core.ts';

interface Problem {
  readonly code?: string;
  readonly detail?: string;
}

/**
 * Commands the core over its http door, with the keys as idempotency keys, as a service with the scopes `payments:settle`,
 * `payments:write` and `ledger:correct`.
 */
export function httpCore(core: Pick<CoreLink, 'ask' | 'url'>): Core {
  async function post(path: string, key: string, body: object): Promise<CoreAnswer> {
    const correlationId = `reconciliation:${key}`;
    const answer = await core.ask({ method: 'POST', path, body, idempotencyKey: key, correlationId });
    const { paymentId = '', code, detail = '' } = answer.body as Problem & { readonly paymentId?: string };
    if (answer.status < 300) return { outcome: 'done', paymentId };
    return { outcome: 'refused', code: code ?? `http ${answer.status}`, message: detail };
  }
  async function statusOf(path: string, key: string): Promise<string | undefined> {
    const { status, body } = await core.ask({ method: 'GET', path, correlationId: `reconciliation:${key}` });
    return status === 200 ? (body as { readonly status?: string }).status : undefined;
  }
  return {
    settle: async ({ key, paymentId, instructed, providerRef, providerFee }) => {
      const path = `/v1/payments/${encodeURIComponent(paymentId)}`;
      const fee = { providerFee: providerFee.toString() };
      const answer = instructed
        ? await post(`${path}/resolve`, key, { outcome: 'settled', providerRef, ...fee })
        : await post(`${path}/settle`, key, fee);
      if (answer.outcome === 'done') return answer;
      // Somebody settled it before: it is linked, and that is all.
      return (await statusOf(path, key)) === 'SETTLED' ? { outcome: 'done', paymentId } : answer;
    },
    ask: async (paymentId, key) => {
      const { status, body } = await core.ask({
        method: 'POST',
        path: `/v1/payments/${encodeURIComponent(paymentId)}/ask`,
        correlationId: `reconciliation:${key}`,
      });
      const { said = 'unknown', code = `http ${status}`, detail = '' } = body as Problem & { readonly said?: string };
      return status === 200 ? { outcome: 'done', said } : { outcome: 'refused', code, message: detail };
    },
    mark: async (lines) => {
      const correlationId = `reconciliation:line:${lines[0]?.lineId ?? ''}`;
      const { status, body } = await core.ask({
        method: 'PUT',
        path: '/v1/statement-lines',
        body: { lines },
        correlationId,
      });
      if (status >= 300)
        throw new CoreUnreachableError(`the core at ${core.url} answered ${status}: ${JSON.stringify(body)}`);
    },
    book: ({ key, kind, amount, currency, provider, payer, payee }) =>
      post('/v1/payments', key, {
        kind,
        amount: amount.toString(),
        currency,
        upTo: 'SETTLED',
        ...(provider !== undefined && { provider }),
        ...(payer !== undefined && { payer }),
        ...(payee !== undefined && { payee }),
      }),
  };
}
