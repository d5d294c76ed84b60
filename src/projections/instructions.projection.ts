import type { RecordedRow } from '../../eventstore/index.ts';
import { POSTINGS } from '../machines/payment/postings.ts';
import { categoryOf, idOf } from '../machines/streams.ts';
import type { ChangeSet, SetValue } from './change-set.ts';
import { paymentEvents, recordedAtOf } from './facts.ts';
import type { Projection } from './projection.ts';
import { defineTable } from './table.ts';

export const instructionsTable = defineTable({
  name: 'instructions',
  key: ['payment_id'],
  columns: {
    payment_id: { type: 'text' },
    kind: { type: 'text' },
    provider: { type: 'text' },
    /** asked: not authorized yet. ready: nobody was told. told, sent, in_doubt: with a provider. captured: done, not settled. */
    state: { type: 'text' },
    connector: { type: 'text' },
    updated_at: { type: 'timestamptz' },
  },
  // Later facts do not say of which kind their payment is: those that are not on the list stay off it.
  madeWith: 'kind',
});

/** The work list of the dispatcher: payments that go through a provider, until their outcome is final. */
export const instructionsProjection: Projection = {
  name: 'instructions',
  version: 1,
  tables: [instructionsTable],
  module: 'payments',
  fold(unit, changes) {
    const at = recordedAtOf(unit);
    for (const row of unit.rows) if (categoryOf(row.stream) === 'payment') foldPayment(row, at, changes);
  },
};

function foldPayment(row: RecordedRow, at: string, changes: ChangeSet): void {
  const isNew = row.version === 1;
  const values: Partial<Record<keyof typeof instructionsTable.columns, SetValue | undefined>> = {};
  // Undefined: it is as it was. Null: it is on the list no more.
  let state: string | null | undefined;
  let isTold = false;
  for (const { type, data } of paymentEvents(row)) {
    isTold ||= type.startsWith('Instruction');
    switch (type) {
      case 'PaymentInitiated':
        // Only what can be told to a connector is ever on the list.
        if (POSTINGS[data.kind].capturedWhen === undefined) return;
        values.kind = data.kind;
        values.provider = data.provider;
        state = 'asked';
        break;
      case 'PaymentAuthorized':
        state = 'ready';
        break;
      case 'InstructionIssued':
        values.provider = data.provider;
        values.connector = data.connector;
        state = 'told';
        break;
      case 'InstructionNotSent':
        state = 'ready';
        break;
      case 'InstructionAccepted':
        state = 'sent';
        break;
      case 'InstructionInDoubt':
        state = 'in_doubt';
        break;
      case 'InstructionConfirmed':
        state = 'captured';
        break;
      case 'InstructionRefused':
        state = 'ready';
        break;
      case 'PaymentCaptured':
        // By its provider it is captured in the unit that says so; by somebody's word it needs none.
        if (!isTold) state = null;
        break;
      case 'PaymentSettled':
      case 'PaymentFailed':
      case 'PaymentReversed':
        state = null;
        break;
      case 'InstructionUnresolved':
      case 'LateSuccessPosted':
      case 'ProviderContradicted':
      case 'ProviderFeeCorrected':
      case 'RefundRefused':
      case 'RefundReleased':
      case 'RefundReserved':
      case 'SettlementOverdue':
        break;
    }
  }
  const key = [idOf(row.stream)];
  if (state === null && !isNew) changes.delete(instructionsTable, key);
  if (typeof state !== 'string') return;
  changes.set(instructionsTable, key, { ...values, state, updated_at: at });
}
