import type { Position, RecordedUnit, Whose } from './event-log.ts';
import type { CommittedBatch } from './planner/group-committer.ts';

/** Where a follower is. */
export interface TailCursor {
  position: Position;
}

/** Events that all followers have had before they are let go of: moving the rest for each batch would cost more. */
const dropEvents = 1_024;

/**
 * The newest units, in memory, for readers that are nearly there, and the bell that tells readers to look again.
 * Holds a run without gaps: units that other processes committed in between start a new run, and readers that are not
 * in it read the store.
 *
 * What every follower has had is let go of soon. Units that lived for seconds would be copied by the collector twice, and
 * those pauses are longer than anything else that a request waits for.
 */
export class LogTail {
  readonly #units: RecordedUnit[] = [];
  #events = 0;
  readonly #eventsMax: number;
  readonly #cursors = new Set<TailCursor>();
  #waiting = new Set<() => void>();
  #known: Position = 0;
  /** The newest run of positions that this process alone wrote. */
  #own: { readonly from: Position; to: Position } | undefined;

  constructor(eventsMax = 20_000) {
    this.#eventsMax = eventsMax;
  }

  /** The highest position that this process knows to be durable. */
  get known(): Position {
    return this.#known;
  }

  /** A follower begins: what comes after its cursor is kept for it, as far as there is room. */
  attach(position: Position): TailCursor {
    const cursor = { position };
    this.#cursors.add(cursor);
    return cursor;
  }

  detach(cursor: TailCursor): void {
    this.#cursors.delete(cursor);
  }

  /**
   * A batch of this process became durable.
   *
   * @param wanted false where nobody follows what this process writes: then it is not kept
   */
  publish({ position, lastPosition, recorded }: CommittedBatch, wanted: boolean): void {
    if (this.#own !== undefined && this.#own.to + 1 === position) this.#own.to = lastPosition;
    else this.#own = { from: position, to: lastPosition };
    if (!wanted || this.#own.from === position) {
      this.#units.length = 0;
      this.#events = 0;
    }
    if (wanted) {
      for (const unit of recorded()) this.#units.push(unit);
      this.#events += lastPosition - position + 1;
      this.#trim();
    }
    this.reached(lastPosition);
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

  /** The end of what this process alone wrote after a position; undefined when something else may come next. */
  endOfOwn(position: Position): Position | undefined {
    const own = this.#own;
    return own !== undefined && position >= own.from - 1 && position < own.to ? own.to : undefined;
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

  /** Drops from the front in steps, so that the cost of moving the rest is spread. */
  #trim(): void {
    const first = this.#units[0];
    if (first === undefined) return;
    const had = Math.min(...[...this.#cursors].map(({ position }) => position));
    let drop = 0;
    if (had !== Infinity && had - first.position >= dropEvents) drop = this.#indexAfter(had);
    if (drop === 0 && this.#events <= this.#eventsMax * 2) return;
    let events = this.#events;
    let dropped = 0;
    for (const unit of this.#units) {
      if (dropped >= drop && (events <= this.#eventsMax || this.#events <= this.#eventsMax * 2)) break;
      if (dropped === this.#units.length - 1) break;
      events -= unit.lastPosition - unit.position + 1;
      dropped += 1;
    }
    // In place: an old array, thrown away, would keep all that was ever in it until the next full collection.
    this.#units.splice(0, dropped);
    this.#events = events;
  }
}

/** Catch up from the store, then live from memory or the store, with no seam: one cursor, whatever the source. */
export async function* follow(
  after: Position,
  signal: AbortSignal,
  tail: LogTail,
  readAll: (after: Position) => AsyncIterable<RecordedUnit>,
  whose: Whose = 'everything',
): AsyncGenerator<RecordedUnit, void, undefined> {
  const cursor = tail.attach(after);
  try {
    yield* followFrom(cursor, signal, tail, readAll, whose);
  } finally {
    tail.detach(cursor);
  }
}

async function* followFrom(
  cursor: TailCursor,
  signal: AbortSignal,
  tail: LogTail,
  readAll: (after: Position) => AsyncIterable<RecordedUnit>,
  whose: Whose,
): AsyncGenerator<RecordedUnit, void, undefined> {
  const after = cursor.position;
  const ended = (): boolean => signal.aborted;
  const inMemory = (): boolean =>
    (whose === 'foreign' && tail.endOfOwn(cursor.position) !== undefined) || tail.after(cursor.position) !== undefined;
  while (!ended()) {
    const own = whose === 'foreign' ? tail.endOfOwn(cursor.position) : undefined;
    if (own !== undefined) {
      cursor.position = own;
      continue;
    }
    const units = tail.after(cursor.position);
    if (units !== undefined) {
      for (const unit of units) {
        if (ended()) return;
        yield unit;
        cursor.position = unit.lastPosition;
      }
      continue;
    }
    // Where memory ended and nothing more is known to be there, the store need not be asked.
    if (cursor.position === after || tail.known > cursor.position) {
      for await (const unit of readAll(cursor.position)) {
        if (ended()) return;
        yield unit;
        cursor.position = unit.lastPosition;
        // Memory may hold the rest by now: cheaper than reading on.
        if (inMemory()) break;
      }
      if (inMemory()) continue;
      // Only what was read is known to be there: `after` is the caller's word, and may be beyond the end.
      if (cursor.position !== after) tail.reached(cursor.position);
    }
    await tail.waitFor(cursor.position, signal);
  }
}
