import type { Position, RecordedUnit } from '../../eventstore/index.ts';
import { ChangeSet } from './change-set.ts';
import type { Projection } from './projection.ts';

/** A projection that runs, and how far its tables are. */
export interface Member {
  readonly projection: Projection;
  position: Position;
}

/** A projection threw on a unit, or the database refused what it made of a batch. */
export class ProjectionFault extends Error {
  override readonly name = 'ProjectionFault';
  readonly code = 'ProjectionFault';
  readonly projection: string;
  /** First position of the unit, or of the batch's last. */
  readonly position: Position;
  constructor(projection: string, position: Position, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`projection ${projection} cannot take the unit at position ${position}: ${reason}`, { cause });
    this.projection = projection;
    this.position = position;
  }
}

/** Events in a batch before it counts as full, whatever number of units they are. */
const batchEventsMax = 50_000;

/** Units that go into one transaction, folded as they arrive. */
export class Batch {
  readonly members: readonly { readonly member: Member; readonly changes: ChangeSet }[];
  readonly #unitsMax: number;
  #units = 0;
  #events = 0;
  #first: Position = 0;
  #last: Position = 0;

  constructor(members: readonly Member[], unitsMax: number) {
    this.members = members.map((member) => ({ member, changes: new ChangeSet() }));
    this.#unitsMax = unitsMax;
  }

  get units(): number {
    return this.#units;
  }
  get full(): boolean {
    return this.#units >= this.#unitsMax || this.#events >= batchEventsMax;
  }
  /** First position of its last unit. */
  get lastUnit(): Position {
    return this.#first;
  }
  /** Last position of its last unit: where the checkpoints go. */
  get end(): Position {
    return this.#last;
  }

  /** Folds a unit into the changes of those members that have not had it. Throws `ProjectionFault`. */
  take(unit: RecordedUnit): void {
    for (const { member, changes } of this.members) {
      if (unit.position <= member.position) continue;
      try {
        member.projection.fold(unit, changes);
      } catch (error) {
        throw new ProjectionFault(member.projection.name, unit.position, error);
      }
    }
    this.#units += 1;
    this.#events += unit.rows.reduce((sum, row) => sum + row.events.length, 0);
    this.#first = unit.position;
    this.#last = unit.lastPosition;
  }
}

/**
 * Gathers units while the batch before is being written: the more is going on, the larger the batches.
 */
export class Gatherer {
  readonly #members: readonly Member[];
  readonly #unitsMax: number;
  readonly #signal: AbortSignal;
  #batch: Batch;
  #arrived: (() => void) | undefined;
  #taken: (() => void) | undefined;

  constructor(members: readonly Member[], unitsMax: number, signal: AbortSignal) {
    this.#members = members;
    this.#unitsMax = unitsMax;
    this.#signal = signal;
    this.#batch = new Batch(members, unitsMax);
    signal.addEventListener('abort', () => {
      this.#arrived?.();
      this.#taken?.();
    });
  }

  /** Returns a promise when the batch is full: come again when it is taken. Throws `ProjectionFault`. */
  add(unit: RecordedUnit): Promise<void> | undefined {
    this.#batch.take(unit);
    if (this.#batch.units === 1 || this.#batch.full) this.#arrived?.();
    if (!this.#batch.full || this.#signal.aborted) return undefined;
    return new Promise((resolve) => (this.#taken = resolve));
  }

  /** The next batch, which had `lingerMs` to grow; undefined when it is over. */
  async next(lingerMs: number): Promise<Batch | undefined> {
    if (this.#batch.units === 0) await this.#arrival();
    if (!this.#batch.full && lingerMs > 0) await this.#arrival(lingerMs);
    if (this.#signal.aborted) return undefined;
    const batch = this.#batch;
    this.#batch = new Batch(this.#members, this.#unitsMax);
    this.#taken?.();
    return batch;
  }

  #arrival(limitMs?: number): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = limitMs === undefined ? undefined : setTimeout(resolve, limitMs);
      this.#arrived = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
