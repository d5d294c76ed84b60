import type { Answer } from './answer.ts';
import type { Account, AccountFilter, Balance, Entry, EntryFilter, NewAccount } from './api.ts';
import type { CallOptions, Calls, CommandOptions } from './calls/calls.ts';
import type { BodyOf } from './calls/operations.ts';
import { Pages } from './pages.ts';

/** Accounts: people open and see their own, admins and services more. Amounts of answers are texts of minor units. */
export class AccountCalls {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Opens a wallet: people, one of their own. The answer says its id. */
  open(account: NewAccount, options?: CommandOptions): Promise<Answer<Account>> {
    return this.#calls.answer('openAccount', { body: account }, options);
  }

  /** The accounts that the caller may see. What was opened a moment ago may be missing. */
  list(filter: AccountFilter = {}, options?: CallOptions): Pages<Account> {
    return new Pages((cursor) => this.#calls.answer('listAccounts', { query: { ...filter, ...cursor } }, options));
  }

  get(id: string, options?: CallOptions): Promise<Answer<Account>> {
    return this.#calls.answer('getAccount', { path: { id } }, options);
  }

  /**
   * What is on it: now, at a time (`at`, ISO 8601, by when things held in the world), or at a position of the log (by what
   * was recorded by then).
   */
  balance(
    id: string,
    as: { readonly at?: string } | { readonly position?: number } = {},
    options?: CallOptions,
  ): Promise<Answer<Balance>> {
    return this.#calls.answer('getBalance', { path: { id }, query: as }, options);
  }

  /** What was posted on it, the newest first unless `order` says otherwise. */
  entries(id: string, filter: EntryFilter = {}, options?: CallOptions): Pages<Entry> {
    return new Pages((cursor) =>
      this.#calls.answer('listEntries', { path: { id }, query: { ...filter, ...cursor } }, options),
    );
  }

  /** For admins. Nothing can be debited until it is unfrozen. */
  freeze(id: string, body: BodyOf<'freezeAccount'>, options?: CommandOptions): Promise<Answer<Account>> {
    return this.#calls.answer('freezeAccount', { path: { id }, body }, options);
  }

  /** For admins. */
  unfreeze(id: string, body: BodyOf<'unfreezeAccount'>, options?: CommandOptions): Promise<Answer<Account>> {
    return this.#calls.answer('unfreezeAccount', { path: { id }, body }, options);
  }

  /** For admins. The account must be empty, and no payment of it open. */
  close(id: string, body: BodyOf<'closeAccount'>, options?: CommandOptions): Promise<Answer<Account>> {
    return this.#calls.answer('closeAccount', { path: { id }, body }, options);
  }

  /** For admins: how far below zero it may go. */
  setLimit(id: string, body: BodyOf<'setLimit'>, options?: CommandOptions): Promise<Answer<Account>> {
    return this.#calls.answer('setLimit', { path: { id }, body }, options);
  }
}
