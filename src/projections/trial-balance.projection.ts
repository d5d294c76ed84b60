import { categoryOf, idOf } from '../machines/streams.ts';
import type { ChangeSet } from './change-set.ts';
import { classOfSystemAccount, systemEvents, walletEvents } from './facts.ts';
import { defineTable } from './table.ts';
import type { Projection } from './projection.ts';

export const trialBalanceTable = defineTable({
  name: 'trial_balance',
  key: ['currency', 'account_class'],
  columns: {
    currency: { type: 'text' },
    account_class: { type: 'text' },
    debits: { type: 'numeric', fold: 'add' },
    credits: { type: 'numeric', fold: 'add' },
  },
  // Credit-normal, like entries: float, receivable and cost are negative. Per currency the balances sum to zero.
  computed: { balance: 'credits - debits' },
  fillfactor: 10,
});

/** What was debited and credited per currency and class of account. Both columns sum to the same, always. */
export const trialBalanceProjection: Projection = {
  name: 'trial_balance',
  version: 1,
  tables: [trialBalanceTable],
  module: 'ledger',
  fold(unit, changes) {
    for (const row of unit.rows) {
      const category = categoryOf(row.stream);
      if (category === 'account') {
        for (const { type, data } of walletEvents(row)) {
          if (type === 'EntryPosted') post(changes, data.currency, data.after.type, BigInt(data.amount));
        }
      } else if (category === 'system') {
        const accountClass = classOfSystemAccount(idOf(row.stream));
        for (const { data } of systemEvents(row)) post(changes, data.currency, accountClass, BigInt(data.amount));
      }
    }
  },
};

function post(changes: ChangeSet, currency: string, accountClass: string, amount: bigint): void {
  changes.add(trialBalanceTable, [currency, accountClass], amount < 0n ? { debits: -amount } : { credits: amount });
}
