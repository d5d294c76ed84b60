import { Type } from 'typebox';
import { accountId, amount, anyAccountId, currency, signedAmount, version } from './fields.ts';

export const accountStatus = Type.Union([Type.Literal('OPEN'), Type.Literal('FROZEN'), Type.Literal('CLOSED')]);
export const walletType = Type.Union([Type.Literal('customer'), Type.Literal('merchant'), Type.Literal('treasury')]);

/** A wallet. Lists for staff and services hold system accounts as well: those have no status and no hold. */
export const account = Type.Object(
  {
    accountId: anyAccountId,
    type: Type.String({ description: 'customer, merchant, treasury; of a system account its class: float, fees …' }),
    currency,
    status: Type.Optional(accountStatus),
    posted: signedAmount,
    held: Type.Optional(amount),
    available: Type.Optional(signedAmount),
    limit: Type.Optional(amount),
    feeBps: Type.Optional(Type.Integer({ description: 'merchants: our fee in basis points' })),
    owner: Type.Optional(Type.String({ description: 'whose it is: user:<id>' })),
    version,
  },
  { additionalProperties: false, title: 'Account' },
);

export const accountParams = Type.Object({ id: accountId }, { additionalProperties: false });
