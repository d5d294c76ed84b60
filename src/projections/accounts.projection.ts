import type { RecordedRow, RecordedUnit } from '../../eventstore/index.ts';
import { categoryOf, idOf } from '../machines/streams.ts';
import type { ChangeSet } from './change-set.ts';
import {
  classOfSystemAccount,
  lastPositionOf,
  lastVersionOf,
  recordedAtOf,
  systemEvents,
  walletEvents,
} from './facts.ts';
import { defineTable } from './table.ts';
import type { Projection } from './projection.ts';

export const accountsTable = defineTable({
  name: 'accounts',
  key: ['id'],
  columns: {
    id: { type: 'text' },
    /** customer, merchant, treasury; of system accounts float, receivable, payable, clearing, fees, cost, suspense … */
    class: { type: 'text' },
    currency: { type: 'text' },
    status: { type: 'text' },
    posted: { type: 'numeric' },
    /** Of system accounts: the sum of their entries. Their facts do not know the balance after them. */
    summed: { type: 'numeric', fold: 'add', hidden: true },
    held: { type: 'numeric' },
    overdraft_limit: { type: 'numeric' },
    fee_bps: { type: 'integer' },
    owner: { type: 'text' },
    version: { type: 'bigint' },
    created_at: { type: 'timestamptz' },
    updated_at: { type: 'timestamptz' },
    position: { type: 'bigint' },
  },
  computed: { posted: 'coalesce(posted, summed)', available: 'posted - held + overdraft_limit' },
  // The wallets of a person. An owner never changes.
  indexes: ['(owner, id) where owner is not null'],
  // Balances are updated all the time and are in no index: with room on the page that costs no index entry.
  fillfactor: 70,
});

/** Every account and its balance now: wallets as their last fact says, system accounts by adding their entries up. */
export const accountsProjection: Projection = {
  name: 'accounts',
  // 2: owner. Tables of version 1 are brought here by migrations/0002_owners_and_pages.sql.
  version: 2,
  tables: [accountsTable],
  module: 'ledger',
  fold(unit, changes) {
    for (const row of unit.rows) {
      const category = categoryOf(row.stream);
      if (category === 'account') foldWallet(unit, row, changes);
      else if (category === 'system') foldSystemAccount(unit, row, changes);
    }
  },
};

function foldWallet(unit: RecordedUnit, row: RecordedRow, changes: ChangeSet): void {
  const events = walletEvents(row);
  const after = events.at(-1)?.data.after;
  if (after === undefined) throw new Error(`the last fact of wallet ${row.stream} does not carry the wallet after it`);
  const recordedAt = recordedAtOf(unit);
  changes.set(accountsTable, [idOf(row.stream)], {
    class: after.type,
    currency: after.currency,
    status: after.status,
    posted: after.posted,
    held: after.held,
    overdraft_limit: after.limit,
    fee_bps: after.feeBps,
    owner: after.owner,
    version: lastVersionOf(row),
    created_at: row.version === 1 ? recordedAt : undefined,
    updated_at: recordedAt,
    position: lastPositionOf(row),
  });
}

function foldSystemAccount(unit: RecordedUnit, row: RecordedRow, changes: ChangeSet): void {
  const id = idOf(row.stream);
  const recordedAt = recordedAtOf(unit);
  const events = systemEvents(row);
  let summed = 0n;
  for (const { data } of events) summed += BigInt(data.amount);
  changes.add(accountsTable, [id], { summed });
  changes.set(accountsTable, [id], {
    class: classOfSystemAccount(id),
    currency: events.at(-1)?.data.currency,
    version: lastVersionOf(row),
    created_at: row.version === 1 ? recordedAt : undefined,
    updated_at: recordedAt,
    position: lastPositionOf(row),
  });
}
