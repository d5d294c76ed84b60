import { Type } from 'typebox';
import {
  accountId,
  amount,
  connectorId,
  currency,
  instant,
  next,
  pageQuery,
  paymentId,
  provider,
  rail,
  reason,
  reference,
  version,
} from './fields.ts';
import { failure, literals } from './payment.ts';

const payoutId = Type.String({
  pattern: '^[A-Za-z0-9_-]{27}$',
  description: 'id of a payout, as it was answered: 27 characters',
  examples: ['q3Zp0m1bJ8yq3o0yYw6f2m9kq1E'],
});

/** What its own history says. Where its money is, its slices say. */
const own = {
  payoutId,
  state: literals(['OPEN', 'CANCELLED', 'FAILED']),
  version,
  amount,
  currency,
  payer: accountId,
  provider,
  beneficiary: reference,
  rail: Type.Optional(rail),
};
const ended = {
  cancelled: Type.Optional(Type.String({ description: 'why it was CANCELLED' })),
  failure: Type.Optional(failure),
};

export const payout = Type.Object(
  { ...own, ...ended, slices: Type.Array(Type.Object({ paymentId, amount }, { additionalProperties: false })) },
  { additionalProperties: false, title: 'Payout' },
);

const wholeStatus = literals(['pending', 'processing', 'settled', 'partially_settled', 'failed', 'cancelled']);

/** pending + sent + inDoubt + settled + failed = amount. */
const money = Type.Object(
  {
    pending: amount,
    sent: amount,
    inDoubt: amount,
    settled: amount,
    failed: amount,
    returned: amount,
  },
  {
    additionalProperties: false,
    title: 'PayoutMoney',
    description:
      'where its money is: the first five are its amount; `returned` is the part of `settled` that providers sent back',
  },
);

const slice = Type.Object(
  {
    paymentId,
    amount,
    status: literals(['pending', 'sent', 'in_doubt', 'settled', 'failed']),
    attempts: Type.Integer({ minimum: 0, description: 'how often a provider was told' }),
    connector: Type.Optional(connectorId),
    providerRef: Type.Optional(Type.String({ description: 'what the provider calls it' })),
    providerFee: amount,
    returned: amount,
    unresolved: Type.Optional(Type.Boolean({ description: 'asking does not help: people must say what became of it' })),
    paidLate: Type.Optional(
      Type.Boolean({ description: 'carried out although it had failed: its money waits in suspense' }),
    ),
    failure: Type.Optional(failure),
    reversed: Type.Optional(Type.String({ description: 'why its money came back: requested, expired, provider' })),
  },
  { additionalProperties: false, title: 'PayoutSlice' },
);

export const payoutDetails = Type.Object(
  { ...own, ...ended, status: wholeStatus, money, slices: Type.Array(slice) },
  { additionalProperties: false, title: 'PayoutDetails' },
);

export const newPayout = Type.Object(
  { payer: accountId, provider, beneficiary: reference, rail: Type.Optional(rail), amount, currency },
  { additionalProperties: false, title: 'NewPayout' },
);

export const payoutCancellation = Type.Object(
  { reason: Type.Optional(reason) },
  { additionalProperties: false, title: 'PayoutCancellation' },
);

export const payoutParams = Type.Object({ id: payoutId }, { additionalProperties: false });

export const payoutQuery = Type.Object(
  {
    payer: Type.Optional(accountId),
    provider: Type.Optional(provider),
    from: Type.Optional(instant),
    to: Type.Optional(instant),
    ...pageQuery,
  },
  { additionalProperties: false },
);

const payoutItem = Type.Object(
  {
    ...own,
    status: wholeStatus,
    money,
    slices: Type.Integer({ minimum: 1, description: 'how many slices it was cut into' }),
    createdAt: instant,
    updatedAt: instant,
  },
  { additionalProperties: false, title: 'PayoutItem' },
);

export const payoutPage = Type.Object(
  { items: Type.Array(payoutItem), next },
  { additionalProperties: false, title: 'PayoutPage' },
);
