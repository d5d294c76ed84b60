import type { RecordedRow, RecordedUnit } from '../../eventstore/index.ts';
import { categoryOf, idOf } from '../machines/streams.ts';
import type { ChangeSet, SetValue } from './change-set.ts';
import {
  effectiveAtOf,
  lastPositionOf,
  lastVersionOf,
  paymentEvents,
  type PaymentEvent,
  recordedAtOf,
} from './facts.ts';
import { defineTable } from './table.ts';
import type { Projection } from './projection.ts';

export const paymentsTable = defineTable({
  name: 'payments',
  key: ['id'],
  columns: {
    id: { type: 'text' },
    kind: { type: 'text' },
    status: { type: 'text' },
    amount: { type: 'numeric' },
    currency: { type: 'text' },
    payer: { type: 'text' },
    payee: { type: 'text' },
    provider: { type: 'text' },
    original: { type: 'text' },
    payout: { type: 'text' },
    beneficiary: { type: 'text' },
    rail: { type: 'text' },
    is_authorized: { type: 'boolean' },
    held: { type: 'numeric' },
    captured: { type: 'numeric' },
    refunded: { type: 'numeric', fold: 'add' },
    fee: { type: 'numeric' },
    provider_fee: { type: 'numeric' },
    reason: { type: 'text' },
    expires_at: { type: 'timestamptz' },
    settles_at: { type: 'timestamptz' },
    version: { type: 'bigint' },
    created_at: { type: 'timestamptz' },
    created_effective_at: { type: 'timestamptz' },
    updated_at: { type: 'timestamptz' },
    updated_effective_at: { type: 'timestamptz' },
    position: { type: 'bigint' },
  },
  // The machine authorizes the whole amount or nothing, so the fact does not repeat it.
  computed: { authorized: 'case when is_authorized then amount else 0 end' },
  indexes: [
    // Pages of lists (src/payments/payments-page.ts). The payments of a commit share their time, so the index folds them.
    '(payer, created_at)',
    '(payee, created_at)',
    '(kind, created_at)',
    // A payment that is settled in its first unit, as most are, never enters these.
    `(payer, created_at) where status <> 'SETTLED'`,
    `(payee, created_at) where status <> 'SETTLED'`,
    `(status, created_at) where status <> 'SETTLED'`,
  ],
});

/** Every payment as its facts left it. Times are recorded time, `…_effective_at` business time. */
export const paymentsProjection: Projection = {
  name: 'payments',
  // 2: payout, beneficiary, rail. Tables of version 1 are brought here by migrations/0006_instructions.sql.
  version: 2,
  tables: [paymentsTable],
  module: 'payments',
  fold(unit, changes) {
    for (const row of unit.rows) if (categoryOf(row.stream) === 'payment') foldPayment(unit, row, changes);
  },
};

type Values = Partial<Record<keyof typeof paymentsTable.columns, SetValue | undefined>>;

function foldPayment(unit: RecordedUnit, row: RecordedRow, changes: ChangeSet): void {
  const recordedAt = recordedAtOf(unit);
  const effectiveAt = effectiveAtOf(unit);
  const isNew = row.version === 1;
  const values: Values = {
    version: lastVersionOf(row),
    created_at: isNew ? recordedAt : undefined,
    created_effective_at: isNew ? effectiveAt : undefined,
    updated_at: recordedAt,
    updated_effective_at: effectiveAt,
    position: lastPositionOf(row),
  };
  let refunded = 0n;
  for (const event of paymentEvents(row)) {
    if (event.type === 'RefundReserved') refunded += BigInt(event.data.amount);
    else if (event.type === 'RefundReleased') refunded -= BigInt(event.data.amount);
    else foldEvent(values, event);
  }
  const key = [idOf(row.stream)];
  changes.set(paymentsTable, key, values);
  if (refunded !== 0n) changes.add(paymentsTable, key, { refunded });
}

type Folded = Exclude<PaymentEvent, { readonly type: 'RefundReserved' | 'RefundReleased' }>;

function foldEvent(values: Values, { type, data }: Folded): void {
  switch (type) {
    case 'PaymentInitiated':
      values.status = 'INITIATED';
      values.kind = data.kind;
      values.amount = data.amount;
      values.currency = data.currency;
      values.payer = data.payer;
      values.payee = data.payee;
      values.provider = data.provider;
      values.original = data.original;
      values.payout = data.payout;
      values.beneficiary = data.beneficiary;
      values.rail = data.rail;
      return;
    case 'PaymentAuthorized':
      values.status = 'AUTHORIZED';
      values.is_authorized = true;
      values.held = data.held;
      values.expires_at = data.expiresAt;
      return;
    case 'PaymentCaptured':
      values.status = 'CAPTURED';
      values.captured = data.amount;
      values.held = '0';
      values.settles_at = data.settlesAt;
      return;
    case 'PaymentSettled':
      values.status = 'SETTLED';
      values.fee = data.fee;
      values.provider_fee = data.providerFee;
      return;
    case 'PaymentFailed':
    case 'PaymentReversed':
      values.status = type === 'PaymentFailed' ? 'FAILED' : 'REVERSED';
      values.held = '0';
      values.reason = data.reason;
      return;
    case 'InstructionIssued':
      values.provider = data.provider;
      return;
    case 'ProviderFeeCorrected':
      values.provider_fee = data.providerFee;
      return;
    case 'RefundRefused':
    case 'InstructionNotSent':
    case 'InstructionAccepted':
    case 'InstructionInDoubt':
    case 'InstructionConfirmed':
    case 'InstructionRefused':
    case 'InstructionUnresolved':
    case 'ProviderContradicted':
    case 'LateSuccessPosted':
    case 'SettlementOverdue':
      return;
    default:
      throw unknownFact(type);
  }
}

function unknownFact(type: never): Error {
  return new Error(`a payment has no fact ${String(type)}`);
}
