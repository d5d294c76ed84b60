import type { EventLog, Position, RecordedUnit } from '../../eventstore/index.ts';
import { ProjectionFault } from './batch.ts';
import { ChangeSet } from './change-set.ts';
import type { Projection } from './projection.ts';

/** Where a fold from the beginning puts its rows. Called with one change set at a time, in order. */
export type WriteRows = (changes: ChangeSet) => Promise<void>;

/** Changed rows that are kept in memory before they are written. */
const rowsMax = 20_000;

/**
 * A projection folded from position 0, in bounded memory: while one change set is being written, the next one gathers.
 */
export class FreshFold {
  readonly projection: Projection;
  readonly #write: WriteRows;
  #changes = new ChangeSet();
  #writing: Promise<void> = Promise.resolve();
  #position: Position = 0;
  #events = 0;

  constructor(projection: Projection, write: WriteRows) {
    this.projection = projection;
    this.#write = write;
  }

  /** All units up to here are folded; after `flush` they are written. */
  get position(): Position {
    return this.#position;
  }

  /** Events folded. */
  get events(): number {
    return this.#events;
  }

  /** Folds the next unit. Returns a promise only when it has to wait for rows to be written. */
  take(unit: RecordedUnit): Promise<void> | undefined {
    try {
      this.projection.fold(unit, this.#changes);
    } catch (error) {
      throw new ProjectionFault(this.projection.name, unit.position, error);
    }
    this.#position = unit.lastPosition;
    this.#events += unit.rows.reduce((sum, row) => sum + row.events.length, 0);
    return this.#changes.size >= rowsMax ? this.#hand() : undefined;
  }

  /** Folds the log up to a position, which must be the end of a unit, or to its end. */
  async advance(
    log: Pick<EventLog, 'readAll'>,
    to: Position,
    signal?: AbortSignal,
    onUnit?: () => void,
  ): Promise<void> {
    if (this.#position >= to) return;
    for await (const unit of log.readAll(this.#position)) {
      if (unit.lastPosition > to) break;
      signal?.throwIfAborted();
      const waiting = this.take(unit);
      if (waiting !== undefined) await waiting;
      onUnit?.();
      if (unit.lastPosition === to) break;
    }
    await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#changes.size > 0) await this.#hand();
    await this.#writing;
  }

  /** Waits for the change set before, and begins to write this one. */
  async #hand(): Promise<void> {
    const changes = this.#changes;
    this.#changes = new ChangeSet();
    await this.#writing;
    this.#writing = this.#write(changes);
    // Seen when it is awaited; until then it is not unhandled.
    this.#writing.catch(() => undefined);
  }
}
