import { invariant } from '../../kernel/invariant.ts';
import type { WalletFact, WalletFigures } from '../account/account.facts.ts';

/** One letter per fact, so that a history is a word, and the machine a regular expression. */
function letterOf(fact: WalletFact): string {
  switch (fact.type) {
    case 'AccountOpened':
      return 'O';
    case 'AccountFrozen':
      return 'F';
    case 'AccountUnfrozen':
      return 'U';
    case 'AccountClosed':
      return 'C';
    case 'AccountLimitSet':
      return 'l';
    case 'HoldPlaced':
      return 'h';
    case 'HoldReleased':
      return 'r';
    case 'PaymentRefused':
      return 'n';
    case 'EntryPosted':
      if (!fact.amount.startsWith('-')) return 'c';
      return fact.forced === true ? 'D' : 'd';
  }
}

/** Open: anything. Frozen: no debit but forced (D), no hold. Closed: refusals only. */
const PATH = /^O[cdDhrnl]*(?:F[cDrnl]*U[cdDhrnl]*)*(?:F[cDrnl]*)?(?:Cn*)?$/;

/** A wallet as its entries and holds make it, by arithmetic of its own. */
export class WalletTrail {
  readonly id: string;
  path = '';
  status: WalletFigures['status'] = 'OPEN';
  posted = 0n;
  held = 0n;
  limit = 0n;
  #first: WalletFigures | undefined;

  constructor(id: string) {
    this.id = id;
  }

  add(fact: WalletFact): void {
    this.path += letterOf(fact);
    invariant(PATH.test(this.path), `${this.id}: ${this.path} is no path of an account`);
    this.#first ??= fact.after;
    const before = this.#available();
    this.#move(fact);
    const expected = {
      ...this.#first,
      status: this.status,
      posted: this.posted.toString(),
      held: this.held.toString(),
      limit: this.limit.toString(),
    };
    invariant(equal(fact.after, expected), `${this.id}: ${fact.type} carries other figures than its entries make`);
    invariant(this.held >= 0n && this.limit >= 0n, `${this.id}: a negative hold or limit`);
    // Invariant 2: only a forced entry may take it below the limit; while it is below, nothing else makes it worse.
    const forced = fact.type === 'EntryPosted' && fact.forced === true;
    const now = this.#available();
    invariant(forced || now >= 0n || now >= before, `${this.id}: ${fact.type} takes it below its limit`);
    invariant(this.status !== 'CLOSED' || (this.posted === 0n && this.held === 0n), `${this.id}: closed with money`);
  }

  #available(): bigint {
    return this.posted - this.held + this.limit;
  }

  #move(fact: WalletFact): void {
    if (fact.type === 'AccountOpened' || fact.type === 'AccountLimitSet') this.limit = BigInt(fact.after.limit);
    if (fact.type === 'AccountFrozen') this.status = 'FROZEN';
    if (fact.type === 'AccountUnfrozen') this.status = 'OPEN';
    if (fact.type === 'AccountClosed') this.status = 'CLOSED';
    if (fact.type === 'HoldPlaced') this.held += BigInt(fact.amount);
    if (fact.type === 'HoldReleased') this.held -= BigInt(fact.amount);
    if (fact.type === 'EntryPosted') {
      this.posted += BigInt(fact.amount);
      this.held -= BigInt(fact.released ?? '0');
    }
  }
}

function equal(one: object, other: object): boolean {
  const sorted = (of: object): string => JSON.stringify(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(one) === sorted(other);
}
