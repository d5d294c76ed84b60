import type { EventLog, RecordedRow, StreamId } from '../../eventstore/index.ts';
import { invariant } from '../kernel/invariant.ts';
import type { RequestFact, WalletFact } from '../machines/account/account.facts.ts';
import { walletFromFact } from '../machines/account/account.machine.ts';
import type { ConnectorFact } from '../machines/connector/connector.facts.ts';
import { connectorFromFact } from '../machines/connector/connector.machine.ts';
import { evolvePayment } from '../machines/evolve.ts';
import { factsOf } from '../machines/fact-codec.ts';
import type { PaymentFact } from '../machines/payment/payment.facts.ts';
import type { PaymentSnapshot } from '../machines/payment/payment.machine.ts';
import type { PayoutFact } from '../machines/payout/payout.facts.ts';
import { evolvePayout, type PayoutSnapshot } from '../machines/payout/payout.machine.ts';
import type { KoraStream } from '../machines/streams.ts';
import { categoryOf, idOf } from '../machines/streams.ts';
import { Resident } from './resident.ts';

interface Waking {
  readonly resident: Resident;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The actors in memory. Bounded: the least recently used that nobody works on and that has nothing pending goes out
 * first. Waking is coalesced: all streams asked for in one turn are read by one query, and by another one only those
 * payments whose history has more than one row.
 */
export class Residents {
  readonly #log: EventLog;
  readonly #max: number;
  readonly #nextTurn: (work: () => void) => void;
  readonly #residents = new Map<KoraStream, Resident>();
  readonly #wakings = new Map<KoraStream, Promise<void>>();
  /** Payments that have come to an end, in a ring: the newest takes the place of the oldest. */
  readonly #ended: (Resident | undefined)[];
  #nextEnded = 0;
  #asked: Waking[] = [];
  /** Counts beginnings and ends of reads. */
  #reads = 0;
  #sweeping = false;

  constructor(log: EventLog, max: number, nextTurn: (work: () => void) => void) {
    this.#log = log;
    this.#max = max;
    this.#nextTurn = nextTurn;
    this.#ended = new Array<Resident | undefined>(Math.ceil(max / 5)).fill(undefined);
  }

  get size(): number {
    return this.#residents.size;
  }

  /** Beginnings and ends of reads so far: what is read from now on begins at a higher count. */
  get reads(): number {
    return this.#reads;
  }

  /** A count that is higher than that of whatever has come so far. */
  nextCount(): number {
    return ++this.#reads;
  }

  /** The resident of a stream, made if need be, and marked as just used; it stays in memory until `unpin`. */
  pin(stream: KoraStream): Resident {
    let resident = this.#residents.get(stream);
    if (resident === undefined) {
      resident = new Resident(stream);
      this.#residents.set(stream, resident);
    } else {
      resident.used = true;
    }
    resident.pins += 1;
    return resident;
  }

  unpin(resident: Resident): void {
    resident.pins -= 1;
    if (!resident.ended && hasEnded(resident)) this.#noteEnded(resident);
    this.#sweepSoon();
  }

  /** The resident of a stream if there is one. */
  peek(stream: KoraStream): Resident | undefined {
    return this.#residents.get(stream);
  }

  /** Loads the durable state of a resident that has none. */
  wake(resident: Resident): Promise<void> {
    const { stream } = resident;
    const under = this.#wakings.get(stream);
    if (under !== undefined) return under;
    const waking = new Promise<void>((resolve, reject) => {
      if (this.#asked.length === 0) this.#nextTurn(() => void this.#wakeAll());
      this.#asked.push({ resident, resolve, reject });
    });
    this.#wakings.set(stream, waking);
    return waking;
  }

  async #wakeAll(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    const began = ++this.#reads;
    try {
      const rows = await this.#log.readLast(asked.map(({ resident }) => resident.stream));
      for (const { resident, resolve, reject } of asked) {
        const row = rows.get(resident.stream);
        if (row !== undefined && row.version > 1 && isFolded(resident.stream)) {
          this.#wakeWhole(resident, began).then(resolve, reject);
          continue;
        }
        this.#woken(resident, row === undefined ? undefined : stateFromLast(row), began);
        resolve();
      }
    } catch (error) {
      for (const { resident, reject } of asked) {
        this.#wakings.delete(resident.stream);
        reject(error);
      }
    }
  }

  async #wakeWhole(resident: Resident, began: number): Promise<void> {
    const { stream } = resident;
    try {
      const read = categoryOf(stream) === 'payout' ? readPayout : readPayment;
      this.#woken(resident, await read(this.#log, stream), began);
    } finally {
      this.#wakings.delete(resident.stream);
    }
  }

  #woken(resident: Resident, state: Resident['durable'], began: number): void {
    this.#wakings.delete(resident.stream);
    // What was only assumed is known now; or who asks would ask again without end.
    if (resident.knowledge === 'loaded') return;
    resident.loaded(state);
    resident.readBegan = began;
    resident.knownSince = began;
    resident.readEnded = ++this.#reads;
  }

  /**
   * What has come to an end is rarely asked for again, and there would soon be little else in memory, for the collector
   * to copy and to mark. So it has a fifth of the places, and the rest is for those who work.
   */
  #noteEnded(resident: Resident): void {
    const oldest = this.#ended[this.#nextEnded];
    this.#ended[this.#nextEnded] = resident;
    this.#nextEnded = (this.#nextEnded + 1) % this.#ended.length;
    resident.ended = true;
    if (oldest === undefined) return;
    oldest.ended = false;
    // Where it is at work it comes back here by its `unpin`.
    const stays = oldest.pins > 0 || oldest.pending !== undefined;
    if (!stays && this.#residents.get(oldest.stream) === oldest) this.#residents.delete(oldest.stream);
  }

  /**
   * Not at once, so that a command that has just loaded what it needs finds it. Which is the least recently used is
   * known as a clock knows it (second chance): whoever was used since the hand came by last goes to the end once more.
   * Moving every actor on every use would cost more than all the rest of this class.
   */
  #sweepSoon(): void {
    if (this.#sweeping || this.#residents.size <= this.#max) return;
    this.#sweeping = true;
    this.#nextTurn(() => {
      this.#sweeping = false;
      // A little more than needed, so that the next newcomers do not each sweep; and not past many that are at work.
      let over = this.#residents.size - Math.floor(this.#max * 0.95);
      let looks = over * 2 + 1_000;
      for (const [stream, resident] of this.#residents) {
        if (over <= 0 || looks-- <= 0) break;
        this.#residents.delete(stream);
        const stays = resident.used || resident.pins > 0 || resident.pending !== undefined;
        if (!stays && !this.#wakings.has(stream)) {
          over -= 1;
          continue;
        }
        resident.used = false;
        this.#residents.set(stream, resident);
      }
    });
  }
}

function hasEnded({ durable }: Resident): boolean {
  if (durable === undefined || !('context' in durable)) return false;
  const { value } = durable;
  return value === 'SETTLED' || value === 'FAILED' || value === 'REVERSED';
}

/** Payments and payouts are folded from all of their rows. */
function isFolded(stream: KoraStream): boolean {
  const category = categoryOf(stream);
  return category === 'payment' || category === 'payout';
}

/**
 * The last fact of a wallet or a connector says everything; a request has one fact; a payment or payout of one row is
 * folded from it.
 */
function stateFromLast(row: RecordedRow): Resident['durable'] {
  const category = categoryOf(row.stream);
  if (category === 'payment') return foldPayment(undefined, row);
  if (category === 'payout') return foldPayout(undefined, row);
  const last = factsOf(row).at(-1);
  invariant(last, `the row at ${row.position} has no events`);
  if (category === 'request') return last as RequestFact;
  const version = row.version + row.events.length - 1;
  if (category === 'connector') return connectorFromFact(last as ConnectorFact, version, idOf(row.stream));
  return walletFromFact(last as WalletFact, version, idOf(row.stream));
}

function foldPayment(state: PaymentSnapshot | undefined, row: RecordedRow): PaymentSnapshot | undefined {
  let snapshot = state;
  for (const fact of factsOf(row)) {
    const next = evolvePayment(snapshot, fact as PaymentFact, idOf(row.stream));
    invariant(next !== 'illegal', `${row.stream}: ${fact.type} at ${row.position} is no legal step`);
    snapshot = next;
  }
  return snapshot;
}

function foldPayout(state: PayoutSnapshot | undefined, row: RecordedRow): PayoutSnapshot | undefined {
  let snapshot = state;
  for (const fact of factsOf(row)) {
    const next = evolvePayout(snapshot, fact as PayoutFact, idOf(row.stream));
    invariant(next !== 'illegal', `${row.stream}: ${fact.type} at ${row.position} is no legal step`);
    snapshot = next;
  }
  return snapshot;
}

/** Folds a payout from the log, up to a version if one is given. Undefined: it does not exist. */
export async function readPayout(
  log: EventLog,
  stream: StreamId,
  upTo = Infinity,
): Promise<PayoutSnapshot | undefined> {
  let state: PayoutSnapshot | undefined;
  for await (const row of log.readStream(stream)) {
    if (row.version > upTo) break;
    state = foldPayout(state, row);
  }
  return state;
}

/** Folds a payment from the log, up to a version if one is given. Undefined: it does not exist. */
export async function readPayment(
  log: EventLog,
  stream: StreamId,
  upTo = Infinity,
): Promise<PaymentSnapshot | undefined> {
  let state: PaymentSnapshot | undefined;
  for await (const row of log.readStream(stream)) {
    if (row.version > upTo) break;
    state = foldPayment(state, row);
  }
  return state;
}
