import { Type } from 'typebox';
import {
  accountId,
  amount,
  anyAccountId,
  currency,
  instant,
  next,
  pageQuery,
  paymentId,
  position,
  reason,
  signedAmount,
  version,
} from './fields.ts';

const statuses = ['OPEN', 'FROZEN', 'CLOSED'] as const;
const walletTypes = ['customer', 'merchant', 'treasury'] as const;
const feeBps = Type.Integer({
  minimum: 0,
  maximum: 10_000,
  description: 'merchants: our fee in basis points, 0 to 10000',
});
const owner = Type.String({
  pattern: '^user:[A-Za-z0-9_.:-]{1,128}$',
  description: 'whose it is: user:<id>',
  examples: ['user:01J9ZC5VQ4'],
});

/** A wallet. Lists for staff and services hold system accounts as well: those have no status and no hold. */
export const account = Type.Object(
  {
    accountId: anyAccountId,
    type: Type.String({ description: 'customer, merchant, treasury; of a system account its class: float, fees …' }),
    currency,
    status: Type.Optional(Type.Unsafe<(typeof statuses)[number]>({ type: 'string', enum: [...statuses] })),
    posted: signedAmount,
    held: Type.Optional(amount),
    available: Type.Optional(signedAmount),
    limit: Type.Optional(amount),
    feeBps: Type.Optional(feeBps),
    owner: Type.Optional(Type.String({ description: 'whose it is: user:<id>' })),
    version,
  },
  { additionalProperties: false, title: 'Account' },
);

export const newAccount = Type.Object(
  {
    type: Type.Unsafe<(typeof walletTypes)[number]>({ type: 'string', enum: [...walletTypes] }),
    currency,
    accountId: Type.Optional(accountId),
    owner: Type.Optional(owner),
    limit: Type.Optional(amount),
    feeBps: Type.Optional(feeBps),
  },
  { additionalProperties: false, title: 'NewAccount' },
);

export const accountParams = Type.Object({ id: accountId }, { additionalProperties: false });
export const anyAccountParams = Type.Object({ id: anyAccountId }, { additionalProperties: false });

export const reasonBody = Type.Object({ reason }, { additionalProperties: false, title: 'Reason' });
export const limitBody = Type.Object({ limit: amount, reason }, { additionalProperties: false, title: 'Limit' });

export const accountQuery = Type.Object({ owner: Type.Optional(owner), ...pageQuery }, { additionalProperties: false });
export const accountPage = Type.Object(
  { items: Type.Array(account), next },
  { additionalProperties: false, title: 'AccountPage' },
);

export const balanceQuery = Type.Object(
  { at: Type.Optional(instant), position: Type.Optional(position) },
  { additionalProperties: false },
);
export const balance = Type.Object(
  {
    accountId: anyAccountId,
    currency: Type.Optional(currency),
    posted: signedAmount,
    held: Type.Optional(amount),
    at: Type.Optional(instant),
    position: Type.Optional(position),
  },
  { additionalProperties: false, title: 'Balance' },
);

const entry = Type.Object(
  {
    position,
    accountId: anyAccountId,
    paymentId,
    amount: signedAmount,
    currency,
    step: Type.String({ description: 'the state that the payment reached by it' }),
    effectiveAt: instant,
    recordedAt: instant,
    version,
  },
  { additionalProperties: false, title: 'Entry' },
);
export const entryQuery = Type.Object(
  {
    order: Type.Optional(
      Type.Unsafe<'newest' | 'oldest'>({
        type: 'string',
        enum: ['newest', 'oldest'],
        description: 'which one is the first',
      }),
    ),
    ...pageQuery,
  },
  { additionalProperties: false },
);
export const entryPage = Type.Object(
  { items: Type.Array(entry), next },
  { additionalProperties: false, title: 'EntryPage' },
);
