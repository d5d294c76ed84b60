import type { RecordedUnit } from '../../../eventstore/index.ts';
import type { MemoryTables } from '../../../src/projections/memory/writer.ts';
import { trialBalanceTable } from '../../../src/projections/trial-balance.projection.ts';
import { check } from './finding.ts';

interface Columns {
  debits: bigint;
  credits: bigint;
}

/** The books by currency: no entry is in a currency that is not its account's, and each currency balances by itself. */
export class TrialBalance {
  /** By currency and class of account. */
  readonly #columns = new Map<string, Columns>();
  /** Of wallets: their currency and type, as they were opened. */
  readonly #wallets = new Map<string, { readonly currency: string; readonly type: string }>();

  visit(unit: RecordedUnit): void {
    const sums = new Map<string, bigint>();
    for (const { stream, events } of unit.rows) {
      for (const { type, data } of events) {
        const said = data as { currency?: string; amount?: string; after?: { currency: string; type: string } };
        if (said.after !== undefined && stream.startsWith('account/')) this.#wallet(stream, said.after);
        if (type !== 'EntryPosted') continue;
        const { currency = '', amount = '0' } = said;
        const own = this.#ownOf(stream);
        check(
          own?.currency === currency,
          '1 currency',
          () => `an entry of ${currency} on ${stream}, which is in ${String(own?.currency)}`,
        );
        sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(amount));
        this.#add(`${currency} ${own.type}`, BigInt(amount));
      }
    }
    for (const [currency, sum] of sums) {
      check(sum === 0n, '1 zero sum', () => `the entries of ${unit.id} sum to ${sum} ${currency}`);
    }
  }

  /** At the end: the projection has the same columns, and in each currency they come to the same. */
  whole(tables: MemoryTables): void {
    const rows = tables.rows(trialBalanceTable);
    const sums = new Map<string, bigint>();
    for (const [name, { debits, credits }] of this.#columns) {
      const row = rows.get(name);
      const [is, must] = [`${String(row?.['debits'])} ${String(row?.['credits'])}`, `${debits} ${credits}`];
      check(is === must, '5 projections', () => `trial balance of ${name}: ${is}, not ${must}`);
      const currency = name.slice(0, 3);
      sums.set(currency, (sums.get(currency) ?? 0n) + credits - debits);
    }
    for (const [currency, sum] of sums)
      check(sum === 0n, '1 zero sum', () => `the books are out by ${sum} ${currency}`);
    check(rows.size === this.#columns.size, '5 projections', () => `the trial balance has ${rows.size} rows`);
  }

  #wallet(stream: string, { currency, type }: { currency: string; type: string }): void {
    const own = this.#wallets.get(stream);
    if (own === undefined) this.#wallets.set(stream, { currency, type });
    else
      check(own.currency === currency, '1 currency', () => `${stream} was in ${own.currency}, and is in ${currency}`);
  }

  /** Names of system accounts begin with their class and end with their currency. */
  #ownOf(stream: string): { readonly currency: string; readonly type: string } | undefined {
    if (!stream.startsWith('system/')) return this.#wallets.get(stream);
    const parts = stream.slice('system/'.length).split(':');
    return { currency: parts.at(-1) ?? '', type: parts[0] ?? '' };
  }

  #add(name: string, amount: bigint): void {
    const columns = this.#columns.get(name) ?? { debits: 0n, credits: 0n };
    this.#columns.set(name, columns);
    if (amount < 0n) columns.debits -= amount;
    else columns.credits += amount;
  }
}
