import type { RecordedRow, RecordedUnit } from '../../eventstore/index.ts';
import { categoryOf, idOf } from '../machines/streams.ts';
import type { ChangeSet, SetValue } from './change-set.ts';
import {
  lastPositionOf,
  lastVersionOf,
  paymentEvents,
  type PaymentEvent,
  payoutEvents,
  recordedAtOf,
} from './facts.ts';
import { defineTable } from './table.ts';
import type { Projection } from './projection.ts';

export const payoutsTable = defineTable({
  name: 'payouts',
  key: ['id'],
  columns: {
    id: { type: 'text' },
    /** The treasury wallet. */
    payer: { type: 'text' },
    provider: { type: 'text' },
    beneficiary: { type: 'text' },
    rail: { type: 'text' },
    amount: { type: 'numeric' },
    currency: { type: 'text' },
    /** OPEN, CANCELLED or FAILED. Where its money is, its slices say. */
    state: { type: 'text' },
    /** How many it was cut into. */
    slices: { type: 'integer' },
    /** Why it was CANCELLED, or FAILED. */
    reason: { type: 'text' },
    version: { type: 'bigint' },
    created_at: { type: 'timestamptz' },
    updated_at: { type: 'timestamptz' },
    position: { type: 'bigint' },
  },
  indexes: [
    // Pages of lists (src/payments/payouts-page.ts). They are read forwards and backwards.
    '(created_at, id)',
    '(payer, created_at, id)',
    '(provider, created_at, id)',
  ],
});

/** The columns are the specification's (bank connectors), and what a payment's row has. */
export const slicesTable = defineTable({
  name: 'payout_slices',
  key: ['id'],
  columns: {
    /** A slice is a payment of kind PAYOUT: this is its id. */
    id: { type: 'text' },
    parent_payout_id: { type: 'text' },
    treasury_account_id: { type: 'text' },
    slice_amount: { type: 'numeric' },
    /** pending, sent, in_doubt, settled, failed. */
    status: { type: 'text' },
    /** What the provider calls it, by the newest attempt. */
    provider_ref: { type: 'text' },
    /** The connector that was told last. */
    connector_id: { type: 'text' },
    /** What the provider is given as the key of it: the slice's id, whatever is retried. */
    idempotency_key: { type: 'text' },
    currency: { type: 'text' },
    created_at: { type: 'timestamptz' },
    updated_at: { type: 'timestamptz' },
    position: { type: 'bigint' },
  },
  // Facts do not say of which kind their payment is: what made it does.
  madeWith: 'parent_payout_id',
  indexes: ['(status)', '(parent_payout_id)'],
  uniques: ['(idempotency_key)'],
});

/** Payouts as their facts left them, and their slices, each as far as it is with its provider. */
export const payoutsProjection: Projection = {
  name: 'payouts',
  version: 1,
  tables: [payoutsTable, slicesTable],
  module: 'payments',
  fold(unit, changes) {
    for (const row of unit.rows) {
      const category = categoryOf(row.stream);
      if (category === 'payout') foldPayout(unit, row, changes);
      else if (category === 'payment') foldSlice(unit, row, changes);
    }
  },
};

type PayoutValues = Partial<Record<keyof typeof payoutsTable.columns, SetValue | undefined>>;

function foldPayout(unit: RecordedUnit, row: RecordedRow, changes: ChangeSet): void {
  const recordedAt = recordedAtOf(unit);
  const values: PayoutValues = {
    version: lastVersionOf(row),
    created_at: row.version === 1 ? recordedAt : undefined,
    updated_at: recordedAt,
    position: lastPositionOf(row),
  };
  for (const { type, data } of payoutEvents(row)) {
    switch (type) {
      case 'PayoutCreated':
        values.state = 'OPEN';
        values.payer = data.payer;
        values.provider = data.provider;
        values.beneficiary = data.beneficiary;
        values.rail = data.rail;
        values.amount = data.amount;
        values.currency = data.currency;
        values.slices = data.slices.length;
        break;
      case 'PayoutFailed':
      case 'PayoutCancelled':
        values.state = type === 'PayoutFailed' ? 'FAILED' : 'CANCELLED';
        values.reason = data.reason;
        break;
    }
  }
  changes.set(payoutsTable, [idOf(row.stream)], values);
}

type SliceValues = Partial<Record<keyof typeof slicesTable.columns, SetValue | undefined>>;

function foldSlice(unit: RecordedUnit, row: RecordedRow, changes: ChangeSet): void {
  const events = paymentEvents(row);
  const [first] = events;
  const isNew = first?.type === 'PaymentInitiated';
  // Most payments are done in the unit that makes them.
  if (isNew && first.data.payout === undefined) return;
  const id = idOf(row.stream);
  const recordedAt = recordedAtOf(unit);
  const values: SliceValues = {
    created_at: isNew ? recordedAt : undefined,
    idempotency_key: isNew ? id : undefined,
    updated_at: recordedAt,
    position: lastPositionOf(row),
  };
  for (const event of events) foldEvent(values, event);
  changes.set(slicesTable, [id], values);
}

/**
 * What a fact makes of a slice, whatever it was before: `sliceStatusOf` comes to the same at the end of every unit. A
 * refusal alone changes nothing, because another connector may be asked; where it is the end, the payment ends in the same
 * unit.
 */
function foldEvent(values: SliceValues, { type, data }: PaymentEvent): void {
  switch (type) {
    case 'PaymentInitiated':
      values.parent_payout_id = data.payout;
      values.treasury_account_id = data.payer;
      values.slice_amount = data.amount;
      values.currency = data.currency;
      values.status = 'pending';
      return;
    case 'InstructionIssued':
      values.connector_id = data.connector;
      return;
    case 'InstructionAccepted':
      values.status = 'sent';
      values.provider_ref = data.providerRef;
      return;
    case 'InstructionInDoubt':
      values.status = 'in_doubt';
      return;
    case 'InstructionConfirmed':
      values.status = 'settled';
      values.provider_ref = data.providerRef;
      return;
    case 'PaymentCaptured':
      values.status = 'sent';
      return;
    case 'PaymentSettled':
      values.status = 'settled';
      return;
    case 'PaymentFailed':
    case 'PaymentReversed':
      values.status = 'failed';
      return;
    case 'PaymentAuthorized':
    case 'InstructionNotSent':
    case 'InstructionRefused':
    case 'InstructionUnresolved':
    case 'ProviderContradicted':
    case 'LateSuccessPosted':
    case 'ProviderFeeCorrected':
    case 'SettlementOverdue':
    case 'RefundReserved':
    case 'RefundReleased':
    case 'RefundRefused':
      return;
  }
}
