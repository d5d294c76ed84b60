import type pg from 'pg';
import type { AccountRequest, Caller } from '../actors/requests.ts';
import type { Outcome, Runtime } from '../actors/runtime.ts';
import type { Page, PageOf } from '../kernel/page.ts';
import type { WalletView } from '../machines/account/view.ts';
import { type Balance, balanceAt, type LedgerEntry } from '../projections/ledger-queries.ts';
import type { AccountRow } from '../projections/queries.ts';
import { type AccountFilter, accountsPage } from './accounts-page.ts';
import { type EntriesPage, entriesPage } from './entries-page.ts';

/**
 * The face of the Ledger: accounts, holds, entries and balances. It does not know why money moves. Nothing but this file
 * is for other modules and the doors; who may ask for what is theirs to know (`src/gateway/access.ts`).
 */
export interface Ledger {
  /** Carries out a command on an account. The answer, a refusal included, is durable. Throws as `Runtime.execute` does. */
  carryOut(request: AccountRequest, caller: Caller): Promise<Outcome>;
  /** Whether it was carried out already, as far as is known here: then doing it again comes to the same answer. */
  isApplied(request: AccountRequest, caller: Caller): Promise<boolean>;
  /** A wallet as it is durably now. Undefined: there is none. */
  account(id: string): Promise<WalletView | undefined>;
  /**
   * Accounts by id, those of an owner or all of them, system accounts included. From a projection: what was opened a
   * moment ago may be missing.
   *
   * @throws PageError
   */
  accountsOf(filter: AccountFilter, page: Page): Promise<PageOf<AccountRow>>;
  /**
   * The balance of a wallet or a system account: now, by business time, or as recorded at a position of the log. From the
   * log, without lag. Undefined: there is no such account.
   *
   * @param as `at` is an instant of ISO 8601, `position` a whole number from 0
   */
  balance(id: string, as?: BalanceAs): Promise<Balance | undefined>;
  /**
   * The entries of a wallet or a system account, from the log, without lag. Empty where there is no such account.
   *
   * @throws PageError
   */
  entries(id: string, page: EntriesPage): Promise<PageOf<EntryRow>>;
}

export interface BalanceAs {
  readonly at?: string;
  readonly position?: number;
}

/** Amounts are signed minor units, credit +; times are ISO 8601 in UTC. */
export type EntryRow = LedgerEntry;
export type { AccountFilter, AccountRow, Balance, EntriesPage };

/** What the Ledger stands on. */
export interface LedgerParts {
  readonly runtime: Pick<Runtime, 'execute' | 'isApplied' | 'account'>;
  /** Connections of the module's own database role. */
  readonly pool: pg.Pool;
}

export function createLedger({ runtime, pool }: LedgerParts): Ledger {
  return {
    carryOut: (request, caller) => runtime.execute(request, caller),
    isApplied: (request, caller) => runtime.isApplied(request, caller),
    account: (id) => runtime.account(id),
    accountsOf: (filter, page) => accountsPage(pool, filter, page),
    balance: (id, { at, position } = {}) =>
      balanceAt(pool, { account: id, position, at: at === undefined ? undefined : new Date(at) }),
    entries: (id, page) => entriesPage(pool, id, page),
  };
}
