import { invariant } from '../../kernel/invariant.ts';
import type { SystemEntryPosted, WalletFact } from '../account/account.facts.ts';
import type { KnownFact } from '../event-versions.ts';
import type { PaymentFact } from '../payment/payment.facts.ts';
import { categoryOf, idOf } from '../streams.ts';
import { PaymentTrail } from './payment-trail.ts';
import { WalletTrail } from './wallet-trail.ts';

export type Fact = KnownFact;

/** What of a unit the auditor reads: facts by stream, as they are in the log. */
export interface AuditedAppend {
  readonly stream: string;
  readonly expect: number | 'any';
  readonly facts: readonly Fact[];
}

/**
 * Follows units, one after the other, and throws at the first that breaks an invariant. It shares nothing with what it
 * audits: no machine, no postings table, no `decide`; its rules are written out by hand, from the design. Property tests
 * and simulations let it watch.
 */
export class Auditor {
  readonly payments = new Map<string, PaymentTrail>();
  readonly wallets = new Map<string, WalletTrail>();
  readonly #versions = new Map<string, number>();
  /** Balance of every account, system and wallet, by currency and account. */
  readonly balances = new Map<string, Map<string, bigint>>();

  /** Takes one whole unit. */
  observe(unit: readonly AuditedAppend[]): void {
    invariant(unit.length > 0, 'a unit is not empty');
    invariant(new Set(unit.map(({ stream }) => stream)).size === unit.length, 'a stream is once in a unit');
    for (const append of unit) this.#append(append);
    const touched = unit.filter(({ stream }) => categoryOf(stream) === 'payment').map(({ stream }) => idOf(stream));
    for (const id of touched) this.#payment(id).assertConsistent();
    for (const id of touched) this.#assertShares(this.#payment(id).original ?? id);
    this.#assertBooks();
  }

  #append({ stream, expect, facts }: AuditedAppend): void {
    invariant(facts.length > 0, `${stream}: an append is not empty`);
    const version = this.#versions.get(stream) ?? 0;
    const category = categoryOf(stream);
    invariant(expect === (category === 'system' ? 'any' : version), `${stream} expects ${expect}, is at ${version}`);
    this.#versions.set(stream, version + facts.length);
    for (const fact of facts) {
      // What is in the log is text: nothing may be lost by writing it.
      const read = JSON.parse(JSON.stringify(fact)) as Fact;
      if (category === 'payment') this.#payment(idOf(stream)).add(read as PaymentFact);
      else if (category === 'account') this.#addToWallet(idOf(stream), read as WalletFact);
      else if (category === 'system') this.#post(idOf(stream), read as SystemEntryPosted);
      else if (category !== 'payout' && category !== 'connector')
        invariant(category === 'request' && version === 0 && facts.length === 1, `${stream} is opened once`);
    }
  }

  #payment(id: string): PaymentTrail {
    const trail = this.payments.get(id) ?? new PaymentTrail(id);
    this.payments.set(id, trail);
    return trail;
  }

  #addToWallet(id: string, fact: WalletFact): void {
    const trail = this.wallets.get(id) ?? new WalletTrail(id);
    this.wallets.set(id, trail);
    trail.add(fact);
    if (fact.type === 'EntryPosted') {
      this.#post(id, fact);
      const { reversedBecause, isTold } = this.#payment(fact.paymentId);
      const isProven = reversedBecause === 'provider' || isTold;
      invariant(fact.forced !== true || isProven, `${id}: forced, though nobody proved ${fact.paymentId}`);
    }
    if (fact.type === 'HoldPlaced') this.#payment(fact.paymentId).hold(id, BigInt(fact.amount));
    if (fact.type === 'HoldReleased') this.#payment(fact.paymentId).hold(id, -BigInt(fact.amount));
    if (fact.type === 'EntryPosted') this.#payment(fact.paymentId).hold(id, -BigInt(fact.released ?? '0'));
  }

  #post(account: string, entry: SystemEntryPosted): void {
    const amount = BigInt(entry.amount);
    invariant(amount !== 0n, `${account}: an entry of nothing`);
    const balances = this.balances.get(entry.currency) ?? new Map<string, bigint>();
    this.balances.set(entry.currency, balances);
    balances.set(account, (balances.get(account) ?? 0n) + amount);
    if (entry.diverted !== undefined) {
      invariant(account === `suspense:${entry.currency}`, `${account} is not where diverted money waits`);
      invariant(this.wallets.get(entry.diverted)?.status === 'CLOSED', `${entry.diverted} is not closed`);
    }
    this.#payment(entry.paymentId).post(entry.diverted ?? account, entry.currency, amount);
  }

  /** Invariant 1: the books are zero per currency after every unit, so every unit is too. */
  #assertBooks(): void {
    for (const [currency, balances] of this.balances) {
      let sum = 0n;
      for (const balance of balances.values()) sum += balance;
      invariant(sum === 0n, `the books are off by ${sum.toString()} ${currency}`);
    }
    const heldBy = new Map<string, bigint>();
    for (const { payer, held } of this.payments.values()) {
      if (payer !== undefined) heldBy.set(payer, (heldBy.get(payer) ?? 0n) + held);
    }
    for (const [id, { held }] of this.wallets) {
      invariant(held === (heldBy.get(id) ?? 0n), `${id} holds what no payment accounts for`);
    }
  }

  /** Refunded ≤ captured, and the original's reservations are those of its refunds that live or have settled. */
  #assertShares(original: string): void {
    const trail = this.payments.get(original);
    if (trail === undefined) return;
    let shares = 0n;
    for (const refund of this.payments.values()) if (refund.original === original) shares += refund.share();
    invariant(
      trail.refunded === shares,
      `${original}: ${trail.refunded.toString()} reserved, ${shares.toString()} taken`,
    );
    invariant(shares <= trail.captured, `${original}: more refunded than captured`);
  }
}
