import type {
  AppendResult,
  EventLog,
  Position,
  RecordedRow,
  RecordedUnit,
  StreamId,
  StreamRow,
  Unit,
} from '../../../eventstore/index.ts';

/**
 * A log whose reads take their time, so that reading, following and appending interleave in ways in which memory alone
 * never would.
 */
export class JitteryLog implements EventLog {
  readonly #log: EventLog;
  readonly #turns: () => number;
  #steps = 0;

  /** @param turns how many turns of the event loop the next step takes */
  constructor(log: EventLog, turns: () => number) {
    this.#log = log;
    this.#turns = turns;
  }

  get capabilities(): EventLog['capabilities'] {
    return this.#log.capabilities;
  }

  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    return this.#log.submit(unit, settled);
  }

  readStream(stream: StreamId, after?: number): AsyncIterable<StreamRow> {
    return this.#slowly(this.#log.readStream(stream, after));
  }

  async readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    await this.#wait();
    const rows = await this.#log.readLast(streams);
    await this.#wait();
    return rows;
  }

  readAll(after: Position): AsyncIterable<RecordedUnit> {
    return this.#slowly(this.#log.readAll(after));
  }

  subscribe(after: Position, signal: AbortSignal): AsyncIterable<RecordedUnit> {
    return this.#slowly(this.#log.subscribe(after, signal));
  }

  lastPosition(): Promise<Position> {
    return this.#log.lastPosition();
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  async *#slowly<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item, void, undefined> {
    await this.#wait();
    for await (const item of items) {
      yield item;
      // Not after each: a reader must be faster than those who append, or it never ends.
      if (this.#steps++ % 16 === 0) await this.#wait();
    }
    await this.#wait();
  }

  async #wait(): Promise<void> {
    for (let left = this.#turns(); left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Whole numbers from 0 up to a bound, the same ones for the same seed (mulberry32). */
export function randomly(seed: number, below: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
