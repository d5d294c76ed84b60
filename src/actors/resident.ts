import type { RequestFact } from '../machines/account/account.facts.ts';
import type { WalletSnapshot } from '../machines/account/account.machine.ts';
import type { ConnectorSnapshot } from '../machines/connector/connector.machine.ts';
import type { PaymentSnapshot } from '../machines/payment/payment.machine.ts';
import type { PayoutSnapshot } from '../machines/payout/payout.machine.ts';
import type { KoraStream } from '../machines/streams.ts';

/** The state of an actor, by the category of its stream. */
export type ActorState = PaymentSnapshot | WalletSnapshot | RequestFact | PayoutSnapshot | ConnectorSnapshot;

/** A unit that was handed to the log and is not settled. Decisions may stand on it; nothing may leave that does. */
export class PendingUnit {
  /** When it was handed in, on the count of reads: what it was committed on was so at some time after that. */
  readonly began: number;
  #waiting: ((committed: boolean) => void)[] | undefined;

  constructor(began = 0) {
    this.began = began;
  }

  /** Resolves with true when the unit is durable, with false when it fell. */
  settled(): Promise<boolean> {
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  settle(committed: boolean): void {
    for (const resolve of this.#waiting ?? []) resolve(committed);
    this.#waiting = undefined;
  }
}

interface Speculation {
  readonly unit: PendingUnit;
  readonly state: ActorState;
}

/**
 * One actor in memory: its durable state and the speculative states that stand on it, one for each pending unit.
 *
 * How much is known of the durable state:
 * - `unknown`: nothing, it must be loaded;
 * - `assumed`: a payment that nobody has heard of is taken not to exist. The log's expected version proves it right for
 *   whatever is appended; what is not appended (a refusal) must load first;
 * - `loaded`: read from the log, or written by us.
 */
export class Resident {
  readonly stream: KoraStream;
  knowledge: 'unknown' | 'assumed' | 'loaded' = 'unknown';
  /** Commands at work on it: it may not be put out. */
  pins = 0;
  /** Used since the bound on residents was last enforced. */
  used = false;
  /** Among those that have come to an end, which are the first to be put out. */
  ended = false;
  /** After a lost race: decide without speculation until one unit was committed. */
  cautious = false;
  /** Of the read that it was loaded by, on a count of beginnings and ends of reads. */
  readBegan = 0;
  readEnded = 0;
  /** On the same count: since when, at the earliest, the durable state has been so. By a read, or by a unit of our own. */
  knownSince = 0;
  #heardOf = 0;
  #durable: ActorState | undefined;
  #speculations: Speculation[] = [];

  constructor(stream: KoraStream) {
    this.stream = stream;
  }

  /** Undefined: does not exist (as far as `knowledge` goes). */
  get durable(): ActorState | undefined {
    return this.#durable;
  }

  /** Version of the durable state; 0 where it does not exist, or is not known. A request has one fact only. */
  get version(): number {
    if (this.#durable === undefined) return 0;
    return 'context' in this.#durable ? this.#durable.context.version : 1;
  }

  /** The newest state: what decisions read. */
  get newest(): ActorState | undefined {
    const last = this.#speculations.at(-1);
    return last === undefined ? this.#durable : last.state;
  }

  /** The unit that the newest state stands on, if it is not durable. */
  get pending(): PendingUnit | undefined {
    return this.#speculations.at(-1)?.unit;
  }

  loaded(state: ActorState | undefined): void {
    this.knowledge = 'loaded';
    this.#durable = state;
    this.#mindNews();
  }

  /** The log has this version of it. */
  heardOf(version: number): void {
    this.#heardOf = Math.max(this.#heardOf, version);
    this.#mindNews();
  }

  speculate(unit: PendingUnit, state: ActorState): void {
    this.#speculations.push({ unit, state });
  }

  committed(unit: PendingUnit): void {
    const first = this.#speculations[0];
    if (first?.unit !== unit) return;
    this.#speculations.shift();
    this.#durable = first.state;
    this.knownSince = Math.max(this.knownSince, unit.began);
    this.knowledge = 'loaded';
    this.cautious = false;
    this.#mindNews();
  }

  /** The unit fell, and with it whatever was decided on it. */
  fell(unit: PendingUnit): void {
    const index = this.#speculations.findIndex((speculation) => speculation.unit === unit);
    if (index >= 0) this.#speculations.length = index;
    this.#mindNews();
  }

  /** Somebody else wrote to the stream: what is known of it is out of date. */
  outdated(): void {
    this.knowledge = 'unknown';
    this.#durable = undefined;
    this.cautious = true;
  }

  /**
   * What is older than what was heard of is read again: the news may come before what was on its way, from the log or to
   * it. What is pending is settled first: if it stands on something old, it falls.
   */
  #mindNews(): void {
    if (this.knowledge === 'unknown' || this.pending !== undefined || this.version >= this.#heardOf) return;
    this.outdated();
  }
}
