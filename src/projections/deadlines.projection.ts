import type { RecordedRow } from '../../eventstore/index.ts';
import { categoryOf, idOf } from '../machines/streams.ts';
import type { ChangeSet } from './change-set.ts';
import { paymentEvents } from './facts.ts';
import { defineTable } from './table.ts';
import type { Projection } from './projection.ts';

export const deadlinesTable = defineTable({
  name: 'deadlines',
  key: ['payment_id', 'kind'],
  columns: {
    payment_id: { type: 'text' },
    /** expire or settle. */
    kind: { type: 'text' },
    due_at: { type: 'timestamptz' },
  },
  indexes: ['(due_at)'],
});

/** What is due, and when: the hold that expires unless it is captured, the capture that settles. One scheduler reads it. */
export const deadlinesProjection: Projection = {
  name: 'deadlines',
  version: 1,
  tables: [deadlinesTable],
  module: 'payments',
  fold(unit, changes) {
    for (const row of unit.rows) if (categoryOf(row.stream) === 'payment') foldPayment(row, changes);
  },
};

/** What a row of facts leaves of a deadline: undefined is as it was, null is none. */
type Left = string | null | undefined;

function foldPayment(row: RecordedRow, changes: ChangeSet): void {
  let expire: Left;
  let settle: Left;
  for (const { type, data } of paymentEvents(row)) {
    switch (type) {
      case 'PaymentAuthorized':
        expire = data.expiresAt ?? null;
        break;
      case 'PaymentCaptured':
        expire = null;
        settle = data.settlesAt ?? null;
        break;
      case 'PaymentSettled':
      case 'PaymentFailed':
      case 'PaymentReversed':
        expire = null;
        settle = null;
        break;
      case 'SettlementOverdue':
        settle = null;
        break;
      case 'PaymentInitiated':
      case 'InstructionIssued':
      case 'InstructionNotSent':
      case 'InstructionAccepted':
      case 'InstructionInDoubt':
      case 'InstructionConfirmed':
      case 'InstructionRefused':
      case 'InstructionUnresolved':
      case 'ProviderContradicted':
      case 'LateSuccessPosted':
      case 'ProviderFeeCorrected':
      case 'RefundReserved':
      case 'RefundReleased':
      case 'RefundRefused':
        break;
    }
  }
  const id = idOf(row.stream);
  const isNew = row.version === 1;
  leave(changes, [id, 'expire'], expire, isNew);
  leave(changes, [id, 'settle'], settle, isNew);
}

/** A payment that is made and done in one unit, as most are, never had a deadline to take away. */
function leave(changes: ChangeSet, key: readonly string[], left: Left, isNew: boolean): void {
  if (typeof left === 'string') changes.set(deadlinesTable, key, { due_at: left });
  else if (left === null && !isNew) changes.delete(deadlinesTable, key);
}
