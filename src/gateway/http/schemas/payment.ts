import { Type } from 'typebox';
import { RECONCILIATION_KINDS } from '../../../machines/payment/postings.ts';
import {
  accountId,
  amount,
  currency,
  instant,
  next,
  pageQuery,
  paymentId,
  position,
  provider,
  providerRef,
  rail,
  reason,
  reference,
  version,
} from './fields.ts';

export const literals = <const Names extends readonly string[]>(names: Names) =>
  Type.Unsafe<Names[number]>({ type: 'string', enum: [...names] });

export const paymentStatus = literals(['INITIATED', 'AUTHORIZED', 'CAPTURED', 'SETTLED', 'FAILED', 'REVERSED']);
const everyKind = [
  'P2P',
  'CASH_IN',
  'CASH_OUT',
  'MERCHANT',
  'REFUND',
  'FUNDING',
  'PAYOUT',
  'PAYOUT_RETURN',
  ...RECONCILIATION_KINDS,
] as const;
export const paymentKind = literals(everyKind);
const upTo = literals(['INITIATED', 'AUTHORIZED', 'CAPTURED', 'SETTLED']);

/** Why a payment FAILED: a code of docs/errors.md with its figures. Whom it does not concern sees the code alone. */
export const failure = Type.Object(
  { code: Type.String(), message: Type.String() },
  { additionalProperties: Type.Unknown(), description: 'why it FAILED' },
);

export const payment = Type.Object(
  {
    paymentId,
    kind: paymentKind,
    status: paymentStatus,
    version,
    amount,
    currency,
    payer: Type.Optional(accountId),
    payee: Type.Optional(accountId),
    provider: Type.Optional(provider),
    original: Type.Optional(paymentId),
    payout: Type.Optional(paymentId),
    beneficiary: Type.Optional(reference),
    rail: Type.Optional(rail),
    authorized: amount,
    captured: amount,
    refunded: amount,
    fee: Type.Optional(amount),
    providerFee: Type.Optional(amount),
    expiresAt: Type.Optional(instant),
    settlesAt: Type.Optional(instant),
    reversed: Type.Optional(Type.String({ description: 'why it was REVERSED: requested, expired, provider' })),
    failure: Type.Optional(failure),
  },
  { additionalProperties: false, title: 'Payment' },
);

export const paymentParams = Type.Object({ id: paymentId }, { additionalProperties: false });

export const newPayment = Type.Object(
  {
    kind: literals(['P2P', 'CASH_IN', 'CASH_OUT', 'MERCHANT', 'FUNDING', ...RECONCILIATION_KINDS]),
    amount,
    currency,
    payer: Type.Optional(accountId),
    payee: Type.Optional(accountId),
    provider: Type.Optional(provider),
    beneficiary: Type.Optional(reference),
    rail: Type.Optional(rail),
    upTo: Type.Optional(upTo),
    captureAmount: Type.Optional(amount),
    providerFee: Type.Optional(amount),
  },
  { additionalProperties: false, title: 'NewPayment' },
);

export const noOptions = Type.Object({}, { additionalProperties: false, title: 'NoOptions' });
export const capture = Type.Object(
  { amount: Type.Optional(amount) },
  { additionalProperties: false, title: 'Capture' },
);
export const settlement = Type.Object(
  { providerFee: Type.Optional(amount) },
  { additionalProperties: false, title: 'Settlement' },
);
export const reversal = Type.Object(
  { reason: Type.Optional(literals(['requested', 'provider'])) },
  { additionalProperties: false, title: 'Reversal' },
);
export const cancellation = Type.Object(
  { reason: Type.Optional(reason) },
  { additionalProperties: false, title: 'Cancellation' },
);
export const refund = Type.Object(
  { amount, upTo: Type.Optional(upTo) },
  { additionalProperties: false, title: 'Refund' },
);

export const resolution = Type.Object(
  {
    outcome: literals(['confirmed', 'settled', 'refused']),
    providerRef: Type.Optional(providerRef),
    providerFee: Type.Optional(amount),
    reason: Type.Optional(reason),
  },
  { additionalProperties: false, title: 'Resolution' },
);
export const payoutReturn = Type.Object({ amount }, { additionalProperties: false, title: 'PayoutReturn' });

export const paymentQuery = Type.Object(
  {
    account: Type.Optional(accountId),
    status: Type.Optional(paymentStatus),
    kind: Type.Optional(paymentKind),
    from: Type.Optional(instant),
    to: Type.Optional(instant),
    ...pageQuery,
  },
  { additionalProperties: false },
);

export const paymentPage = Type.Object(
  { items: Type.Array(payment), next },
  { additionalProperties: false, title: 'PaymentPage' },
);

const timelineStep = Type.Object(
  {
    at: instant,
    effectiveAt: instant,
    state: Type.Optional(paymentStatus),
    sentence: Type.String({ description: 'what happened, as people say it' }),
    by: Type.String({ description: 'who asked for it' }),
    correlationId: Type.Optional(Type.String()),
    version,
    position: Type.Optional(position),
  },
  { additionalProperties: false, title: 'TimelineStep' },
);
export const timeline = Type.Object(
  { paymentId, items: Type.Array(timelineStep) },
  { additionalProperties: false, title: 'Timeline' },
);

export const asked = Type.Object(
  {
    paymentId,
    said: literals(['pending', 'confirmed', 'settled', 'refused', 'not_found', 'unknown']),
  },
  { additionalProperties: false, title: 'Asked' },
);
