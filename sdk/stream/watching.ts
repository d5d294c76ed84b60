import { CarriedStatus } from './carried-status.ts';
import type { Live, Snapshot, Unit } from './protocol.ts';

/** What a watcher is told: one thing at a time, each with the position to resume from after it. */
export type Told<State, Event> =
  | ({ readonly type: 'snapshot' } & Snapshot<State>)
  | ({ readonly type: 'live' } & Live)
  | ({ readonly type: 'unit' } & Unit<Event>);

/** Something that is watched: each iteration over it begins anew. */
export type Watch<State, Event> = AsyncIterable<Told<State, Event>, undefined, undefined>;

/** What a watching needs of whoever feeds it. */
export interface Feed {
  /** There is room again. */
  wanted(watching: Watching): void;
  /** It has ended: it must be told nothing more. */
  ended(watching: Watching): void;
}

/**
 * How much may wait for a slow reader. What comes then is not taken: the topic is given up until the reader has caught up,
 * and resumed from there. Memory stays bounded, and nothing is lost.
 */
const waitingMax = 1_000;

/** Whoever iterates knows what of. */
type Something = Told<unknown, unknown>;

const over = { done: true, value: undefined } as const;

/** One iteration over one topic: between the sockets that come and go, and the loop that reads. */
export class Watching implements AsyncIterableIterator<Something, undefined, undefined> {
  readonly topic: string;
  readonly #feed: Feed;
  readonly #waiting: Something[] = [];
  readonly #readers: PromiseWithResolvers<IteratorResult<Something, undefined>>[] = [];
  /** Of one payment: what of its facts leaves it as it is does not say how that is. */
  readonly #status: CarriedStatus | undefined;
  #position: number | undefined;
  #caughtUp = false;
  #over = false;
  #error: Error | undefined;

  constructor(topic: string, after: number | undefined, feed: Feed) {
    this.topic = topic;
    if (topic.startsWith('payment/')) this.#status = new CarriedStatus();
    this.#position = after;
    this.#feed = feed;
  }

  /** Where it is: what was taken in, read or not. Undefined: it begins with a snapshot, or with what comes. */
  get position(): number | undefined {
    return this.#position;
  }

  get full(): boolean {
    return this.#waiting.length >= waitingMax;
  }

  take(said: Something): void {
    // The door does not repeat itself; a reader of money would rather not depend on it.
    if (this.#over || (said.type === 'unit' && said.position <= (this.#position ?? -1))) return;
    const told = this.#status?.carriedBy(said) ?? said;
    this.#position = Math.max(this.#position ?? 0, told.position);
    if (told.type !== 'unit') {
      // A reader is not told that a connection was resumed.
      const known = this.#caughtUp;
      this.#caughtUp = true;
      if (known && told.type === 'live') return;
    }
    const reader = this.#readers.shift();
    if (reader === undefined) this.#waiting.push(told);
    else reader.resolve({ done: false, value: told });
  }

  /** Ends the iteration with an error, after what was told before. */
  fail(error: Error): void {
    if (this.#over) return;
    this.#error = error;
    this.#stop();
  }

  next(): Promise<IteratorResult<Something, undefined>> {
    const told = this.#waiting.shift();
    if (told !== undefined) {
      if (this.#waiting.length === 0 && !this.#over) this.#feed.wanted(this);
      return Promise.resolve({ done: false, value: told });
    }
    if (this.#over) return this.#last();
    const reader = Promise.withResolvers<IteratorResult<Something, undefined>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  /** What `break` calls, and an aborted signal: ends the iteration at once. What was not read is dropped. */
  return(): Promise<IteratorResult<Something, undefined>> {
    this.#waiting.length = 0;
    this.#stop();
    return Promise.resolve(over);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#feed.ended(this);
    for (const reader of this.#readers.splice(0)) void this.#last().then(reader.resolve, reader.reject);
  }

  /** An error is thrown once; then it is over. */
  #last(): Promise<IteratorResult<Something, undefined>> {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? Promise.resolve(over) : Promise.reject(error);
  }
}
