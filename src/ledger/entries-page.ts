import type pg from 'pg';
import { keyAfter, type Page, type PageOf, pageOf } from '../kernel/page.ts';
import { entriesOfAccount, type LedgerEntry, newestEntriesOfAccount } from '../projections/ledger-queries.ts';

export interface EntriesPage extends Page {
  /** Which entry is the first one. Default `newest`. */
  readonly from?: 'newest' | 'oldest';
}

const keyShape = [/^[0-9]{1,15}$/];

/** A page of an account's entries. Their key is the version of the account's stream: dense, and never given twice. */
export async function entriesPage(pool: pg.Pool, account: string, page: EntriesPage): Promise<PageOf<LedgerEntry>> {
  const from = page.from ?? 'newest';
  const list = { list: 'entries', account, from };
  const [key] = keyAfter(list, page, keyShape) ?? [];
  const version = key === undefined ? undefined : Number(key);
  const read = from === 'newest' ? newestEntriesOfAccount : entriesOfAccount;
  const entries = await read(pool, account, version, page.limit + 1);
  return pageOf(list, page, entries, (entry) => [String(entry.version)]);
}
