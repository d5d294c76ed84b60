import { invariant } from '../kernel/invariant.ts';
import { assertBalanced, type Entry } from '../kernel/ledger.ts';
import type { Refusal } from '../kernel/refusal.ts';
import type { RequestFact, SystemEntryPosted, WalletFact } from './account/account.facts.ts';
import type { WalletSnapshot } from './account/account.machine.ts';
import type { Change, Decision, World } from './decision.ts';
import { evolvePayment, evolveWallet } from './evolve.ts';
import type { PaymentFact } from './payment/payment.facts.ts';
import type { PaymentSnapshot } from './payment/payment.machine.ts';
import type { ConnectorFact } from './connector/connector.facts.ts';
import { evolveConnector, type ConnectorSnapshot } from './connector/connector.machine.ts';
import type { PayoutFact } from './payout/payout.facts.ts';
import { evolvePayout, type PayoutSnapshot } from './payout/payout.machine.ts';
import { accountStream, connectorStream, paymentStream, payoutStream, requestStream, systemStream } from './streams.ts';

interface Drafted<Snapshot, Fact> {
  readonly id: string;
  readonly expect: number;
  readonly facts: Fact[];
  now: Snapshot;
}

/**
 * A unit in the making: collects the facts of one decision, each taken through its machine at once, so that nothing can
 * leave here that a replay would not accept. A fact that its machine does not take is a bug of `decide`, not a refusal.
 */
export class Unit {
  readonly #world: World;
  // Arrays: a unit has one to three of each, and a map would cost more than the search.
  readonly #payments: Drafted<PaymentSnapshot, PaymentFact>[] = [];
  readonly #wallets: Drafted<WalletSnapshot, WalletFact>[] = [];
  readonly #system: { readonly id: string; readonly facts: SystemEntryPosted[] }[] = [];
  readonly #entries: Entry[] = [];
  /** What is the only one of its sort in a unit. */
  readonly #others: Change[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Adds facts to a payment, and gives it as it is after them. */
  payment(id: string, facts: readonly PaymentFact[]): PaymentSnapshot {
    const drafted = this.#payments.find((one) => one.id === id);
    let now = drafted === undefined ? this.#world.payment(id) : drafted.now;
    const expect = now?.context.version ?? 0;
    for (const fact of facts) {
      const next = evolvePayment(now, fact, id);
      invariant(next !== 'illegal', `payment ${id} takes no ${fact.type} in ${now?.value ?? 'NEW'}`);
      now = next;
    }
    invariant(now !== undefined, `payment ${id}: no facts`);
    if (drafted === undefined) this.#payments.push({ id, expect, facts: [...facts], now });
    else {
      drafted.facts.push(...facts);
      drafted.now = now;
    }
    return now;
  }

  /** The wallet as this unit has it so far. */
  wallet(id: string): WalletSnapshot {
    const wallet = this.#wallets.find((one) => one.id === id)?.now ?? this.#world.wallet(id);
    invariant(wallet !== undefined, `there is no wallet ${id}`);
    return wallet;
  }

  /** Adds a fact to a wallet, and gives it as it is after it. */
  walletFact(id: string, fact: WalletFact): WalletSnapshot {
    const drafted = this.#wallets.find((one) => one.id === id);
    const before = drafted === undefined ? this.#world.wallet(id) : drafted.now;
    const now = evolveWallet(before, fact, id);
    invariant(now !== 'illegal', `wallet ${id} takes no such ${fact.type} in ${before?.value ?? 'NEW'}`);
    if (drafted === undefined) this.#wallets.push({ id, expect: before?.context.version ?? 0, facts: [fact], now });
    else {
      drafted.facts.push(fact);
      drafted.now = now;
    }
    if (fact.type === 'EntryPosted') this.#entries.push(fact);
    return now;
  }

  /** Adds an entry to a system account. */
  systemEntry(id: string, fact: SystemEntryPosted): void {
    const drafted = this.#system.find((one) => one.id === id);
    if (drafted === undefined) this.#system.push({ id, facts: [fact] });
    else drafted.facts.push(fact);
    this.#entries.push(fact);
  }

  /** The facts that the unit has of its payout, which are all of them. */
  payoutFacts(id: string, facts: readonly PayoutFact[]): PayoutSnapshot {
    let now = this.#world.payout(id);
    const expect = now?.context.version ?? 0;
    for (const fact of facts) {
      const next = evolvePayout(now, fact, id);
      invariant(next !== 'illegal', `payout ${id} takes no such ${fact.type} in ${now?.value ?? 'NEW'}`);
      now = next;
    }
    invariant(now !== undefined, `payout ${id}: no facts`);
    this.#others.push({ stream: payoutStream(id), expect, facts, next: now });
    return now;
  }

  /** The fact that the unit has of its connector, which is the only one. */
  connectorFact(id: string, fact: ConnectorFact): ConnectorSnapshot {
    const before = this.#world.connector(id);
    const next = evolveConnector(before, fact, id);
    invariant(next !== 'illegal', `connector ${id} takes no such ${fact.type} in ${before?.value ?? 'CLOSED'}`);
    this.#others.push({ stream: connectorStream(id), expect: before?.context.version ?? 0, facts: [fact], next });
    return next;
  }

  /** Opens the stream that makes a command on an account harmless when it comes again. */
  request(commandId: string, handled: RequestFact): void {
    this.#others.push({ stream: requestStream(commandId), expect: 0, facts: [handled], next: handled });
  }

  /** Closes the unit: its entries sum to zero, or it never was. */
  decided(refusal?: Refusal): Decision {
    assertBalanced(this.#entries);
    const changes: Change[] = [];
    for (const { id, expect, facts, now } of this.#payments) {
      changes.push({ stream: paymentStream(id), expect, facts, next: now });
    }
    for (const { id, expect, facts, now } of this.#wallets) {
      changes.push({ stream: accountStream(id), expect, facts, next: now });
    }
    for (const { id, facts } of this.#system) changes.push({ stream: systemStream(id), expect: 'any', facts });
    changes.push(...this.#others);
    return refusal === undefined ? { outcome: 'decided', changes } : { outcome: 'decided', changes, refusal };
  }
}

/** Nothing is written. */
export function refused(refusal: Refusal): Decision {
  return { outcome: 'refused', refusal };
}
