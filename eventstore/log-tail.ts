import type { Position, RecordedUnit } from './event-log.ts';

/**
 * The newest units, in memory, for readers that are nearly there, and the bell that tells readers to look again.
 * Holds a run without gaps: units that other processes committed in between start a new run, and readers that are not
 * in it read the store.
 */
export class LogTail {
  #units: RecordedUnit[] = [];
  #events = 0;
  readonly #eventsMax: number;
  #waiting = new Set<() => void>();
  #known: Position = 0;

  constructor(eventsMax = 20_000) {
    this.#eventsMax = eventsMax;
  }

  /** The highest position that this process knows to be durable. */
  get known(): Position {
    return this.#known;
  }

  /** Units that became durable by this process, in order. */
  publish(units: readonly RecordedUnit[]): void {
    const first = units[0];
    const last = units.at(-1);
    if (first === undefined || last === undefined) return;
    const end = this.#units.at(-1);
    if (end !== undefined && end.lastPosition + 1 !== first.position) {
      this.#units = [];
      this.#events = 0;
    }
    for (const unit of units) {
      this.#units.push(unit);
      this.#events += unit.lastPosition - unit.position + 1;
    }
    this.#trim();
    this.reached(last.lastPosition);
  }

  /** Somebody committed up to here. */
  reached(position: Position): void {
    if (position <= this.#known) return;
    this.#known = position;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Units after a position, if memory holds all of them; undefined when the store must be read. */
  after(position: Position): readonly RecordedUnit[] | undefined {
    const first = this.#units[0];
    const last = this.#units.at(-1);
    if (first === undefined || last === undefined) return undefined;
    if (position < first.position - 1 || position >= last.lastPosition) return undefined;
    return this.#units.slice(this.#indexAfter(position));
  }

  /** Resolves when something after the position is known to be durable, or the signal aborts. */
  waitFor(position: Position, signal: AbortSignal): Promise<void> {
    if (this.#known > position || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
    });
  }

  #indexAfter(position: Position): number {
    let low = 0;
    let high = this.#units.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#units[middle] as RecordedUnit).lastPosition <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops from the front in large steps, so that the cost of moving the rest is spread. */
  #trim(): void {
    if (this.#events <= this.#eventsMax * 2) return;
    let drop = 0;
    while (this.#events > this.#eventsMax && drop < this.#units.length - 1) {
      const unit = this.#units[drop++] as RecordedUnit;
      this.#events -= unit.lastPosition - unit.position + 1;
    }
    this.#units = this.#units.slice(drop);
  }
}

/** Catch up from the store, then live from memory or the store, with no seam: one cursor, whatever the source. */
export async function* follow(
  after: Position,
  signal: AbortSignal,
  tail: LogTail,
  readAll: (after: Position) => AsyncIterable<RecordedUnit>,
): AsyncGenerator<RecordedUnit, void, undefined> {
  let cursor = after;
  const ended = (): boolean => signal.aborted;
  while (!ended()) {
    const units = tail.after(cursor);
    if (units !== undefined) {
      for (const unit of units) {
        if (ended()) return;
        yield unit;
        cursor = unit.lastPosition;
      }
      continue;
    }
    for await (const unit of readAll(cursor)) {
      if (ended()) return;
      yield unit;
      cursor = unit.lastPosition;
      // Memory may hold the rest by now: cheaper than reading on.
      if (tail.after(cursor) !== undefined) break;
    }
    if (tail.after(cursor) === undefined) {
      // Only what was read is known to be there: `after` is the caller's word, and may be beyond the end.
      if (cursor !== after) tail.reached(cursor);
      await tail.waitFor(cursor, signal);
    }
  }
}
