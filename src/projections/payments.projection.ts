import type { RecordedRow, RecordedUnit } from '../../eventstore/index.ts';
import { categoryOf, idOf } from '../machines/streams.ts';
import type { ChangeSet } from './change-set.ts';
import { effectiveAtOf, lastPositionOf, lastVersionOf, paymentEvents, type PaymentEvent } from './facts.ts';
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
  // A payment that is settled in its first unit, as most are, never enters these.
  indexes: [
    `(payer) where status in ('INITIATED', 'AUTHORIZED', 'CAPTURED')`,
    `(payee) where status in ('INITIATED', 'AUTHORIZED', 'CAPTURED')`,
  ],
});

/** Every payment as its facts left it. Times are recorded time, `…_effective_at` business time. */
export const paymentsProjection: Projection = {
  name: 'payments',
  version: 1,
  tables: [paymentsTable],
  fold(unit, changes) {
    for (const row of unit.rows) if (categoryOf(row.stream) === 'payment') foldPayment(unit, row, changes);
  },
};

function foldPayment(unit: RecordedUnit, row: RecordedRow, changes: ChangeSet): void {
  const key = [idOf(row.stream)];
  const recordedAt = unit.recordedAt.toISOString();
  const effectiveAt = effectiveAtOf(unit);
  for (const event of paymentEvents(row)) {
    foldEvent(key, event, changes);
    if (event.type === 'PaymentInitiated') {
      changes.set(paymentsTable, key, { created_at: recordedAt, created_effective_at: effectiveAt });
    }
  }
  changes.set(paymentsTable, key, {
    version: lastVersionOf(row),
    updated_at: recordedAt,
    updated_effective_at: effectiveAt,
    position: lastPositionOf(row),
  });
}

function foldEvent(key: readonly string[], { type, data }: PaymentEvent, changes: ChangeSet): void {
  switch (type) {
    case 'PaymentInitiated': {
      const { kind, amount, currency, payer, payee, provider, original } = data;
      const status = 'INITIATED';
      changes.set(paymentsTable, key, { kind, status, amount, currency, payer, payee, provider, original });
      return;
    }
    case 'PaymentAuthorized': {
      const { held, expiresAt: expires_at } = data;
      changes.set(paymentsTable, key, { status: 'AUTHORIZED', is_authorized: true, held, expires_at });
      return;
    }
    case 'PaymentCaptured': {
      const { amount: captured, settlesAt: settles_at } = data;
      changes.set(paymentsTable, key, { status: 'CAPTURED', captured, held: '0', settles_at });
      return;
    }
    case 'PaymentSettled':
      changes.set(paymentsTable, key, { status: 'SETTLED', fee: data.fee, provider_fee: data.providerFee });
      return;
    case 'PaymentFailed':
      changes.set(paymentsTable, key, { status: 'FAILED', held: '0', reason: data.reason });
      return;
    case 'PaymentReversed':
      changes.set(paymentsTable, key, { status: 'REVERSED', held: '0', reason: data.reason });
      return;
    case 'RefundReserved':
      changes.add(paymentsTable, key, { refunded: BigInt(data.amount) });
      return;
    case 'RefundReleased':
      changes.add(paymentsTable, key, { refunded: -BigInt(data.amount) });
      return;
    case 'RefundRefused':
      return;
    default:
      throw unknownFact(type);
  }
}

function unknownFact(type: never): Error {
  return new Error(`a payment has no fact ${String(type)}`);
}
