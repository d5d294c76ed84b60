import type { StreamId } from '../event-log.ts';
import type { PlannedUnit } from './planned-unit.ts';

/** Units that are committed by one call, all of them or none. */
export interface Batch {
  readonly units: readonly PlannedUnit[];
  /** Per stream of the batch: the version that its first unit expects (null for `any`). */
  readonly expected: ReadonlyMap<StreamId, number | null>;
}

export interface Refused {
  readonly unit: PlannedUnit;
  readonly stream: StreamId;
  readonly expected: number;
  readonly actual?: number;
}

export interface BatchLimits {
  readonly batchUnitsMax: number;
  readonly batchSizeMax: number;
  /** Units that may wait; further ones are refused as overloaded. */
  readonly waitingUnitsMax: number;
}

export const defaultBatchLimits: BatchLimits = {
  batchUnitsMax: 500,
  batchSizeMax: 8 * 1024 * 1024,
  waitingUnitsMax: 20_000,
};

/**
 * Decides which units go into the next commit, and which fall when a commit finds a stale stream. Pure: no clock, no
 * I/O. Every adapter, and the simulation, runs this same code.
 *
 * The rule that it guards is *refusal is transitive*. A unit that was decided on a refused unit's facts must fall with
 * it, even if its own expected version happens to match what another process wrote meanwhile: balance 100 at v5;
 * A (−30, expects 5), B decided on A (−60, expects 6); a foreign −80 becomes v6; A is refused, and B's 6 would match.
 */
export class BatchPlanner {
  #waiting: PlannedUnit[] = [];
  readonly #limits: BatchLimits;

  constructor(limits: BatchLimits = defaultBatchLimits) {
    this.#limits = limits;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** False when too many units wait already. */
  add(unit: PlannedUnit): boolean {
    if (this.#waiting.length >= this.#limits.waitingUnitsMax) return false;
    this.#waiting.push(unit);
    return true;
  }

  /**
   * Takes the next batch: waiting units in order, as long as each expects what the units before it leave behind. A unit
   * that does not (two deciders of one process raced) waits with everything that shares a stream with it; the next
   * commit will find it stale, or its rival refused.
   */
  next(): Batch | undefined {
    if (this.#waiting.length === 0) return undefined;
    const expected = new Map<StreamId, number | null>();
    const reached = new Map<StreamId, number>();
    const blocked = new Set<StreamId>();
    const units: PlannedUnit[] = [];
    const left: PlannedUnit[] = [];
    let size = 0;
    let full = false;
    for (const planned of this.#waiting) {
      full ||= units.length > 0 && (units.length >= this.#limits.batchUnitsMax || size >= this.#limits.batchSizeMax);
      if (full || !fits(planned, reached, blocked)) {
        left.push(planned);
        if (!full) for (const row of planned.rows) if (row.expect !== null) blocked.add(row.stream);
        continue;
      }
      for (const { stream, expect, count } of planned.rows) {
        if (!expected.has(stream)) expected.set(stream, expect);
        if (expect !== null) reached.set(stream, expect + count);
      }
      for (const stream of planned.absent) {
        if (!expected.has(stream)) expected.set(stream, 0);
        reached.set(stream, 0);
      }
      units.push(planned);
      size += planned.size;
    }
    this.#waiting = left;
    return { units, expected };
  }

  /**
   * Takes the first waiting unit that has no guarded stream in common with what is under way, nor with a unit that waits
   * before it: for stores that commit one unit at a time, several of them side by side.
   */
  nextApart(underWay: ReadonlySet<StreamId>): PlannedUnit | undefined {
    const blocked = new Set(underWay);
    for (const [index, planned] of this.#waiting.entries()) {
      const streams = guardedStreams(planned);
      if (!streams.some((stream) => blocked.has(stream))) {
        this.#waiting.splice(index, 1);
        return planned;
      }
      for (const stream of streams) blocked.add(stream);
    }
    return undefined;
  }

  /**
   * A commit wrote nothing because streams were stale. Takes out every unit that stood on them, in the batch and in the
   * queue, puts the rest of the batch back at the head of the queue, and returns what was taken out, in order.
   */
  refuse(batch: Batch, heads: ReadonlyMap<StreamId, number>): Refused[] {
    const fallen = new Set<StreamId>();
    const refused: Refused[] = [];
    const kept: PlannedUnit[] = [];
    const sift = (planned: PlannedUnit): void => {
      const why = staleIn(planned, heads, fallen);
      if (why === undefined) {
        kept.push(planned);
        return;
      }
      for (const row of planned.rows) if (row.expect !== null) fallen.add(row.stream);
      const actual = heads.get(why.stream);
      refused.push({ unit: planned, ...why, ...(actual === undefined ? {} : { actual }) });
    };
    for (const planned of batch.units) sift(planned);
    for (const planned of this.#waiting) sift(planned);
    this.#waiting = kept;
    return refused;
  }

  /** A commit failed for good (not stale, not unknown): its units fall, and with them all that waits on them. */
  fail(batch: Batch): PlannedUnit[] {
    const fallen = new Set<StreamId>();
    for (const planned of batch.units) for (const row of planned.rows) if (row.expect !== null) fallen.add(row.stream);
    const failed = [...batch.units];
    const kept: PlannedUnit[] = [];
    for (const planned of this.#waiting) {
      if (!planned.rows.some((row) => row.expect !== null && fallen.has(row.stream))) {
        kept.push(planned);
        continue;
      }
      for (const row of planned.rows) if (row.expect !== null) fallen.add(row.stream);
      failed.push(planned);
    }
    this.#waiting = kept;
    return failed;
  }

  /** Everything that waits, taken out: the log is closing. */
  drop(): PlannedUnit[] {
    const dropped = this.#waiting;
    this.#waiting = [];
    return dropped;
  }
}

/** The streams on which a unit stands: those whose version it expects, and those that must not exist. */
export function guardedStreams({ rows, absent }: PlannedUnit): StreamId[] {
  return [...rows.filter(({ expect }) => expect !== null).map(({ stream }) => stream), ...absent];
}

/**
 * The stream for which a unit falls. A stream that must not exist is stale where it exists in the store; that one who was
 * to open it has fallen is no reason: nobody stands on what is not there.
 */
function staleIn(
  planned: PlannedUnit,
  heads: ReadonlyMap<StreamId, number>,
  fallen: ReadonlySet<StreamId>,
): { readonly stream: StreamId; readonly expected: number } | undefined {
  for (const { stream, expect } of planned.rows) {
    if (expect === null) continue;
    const head = heads.get(stream);
    if ((head !== undefined && head !== expect) || fallen.has(stream)) return { stream, expected: expect };
  }
  const stream = planned.absent.find((one) => (heads.get(one) ?? 0) > 0);
  return stream === undefined ? undefined : { stream, expected: 0 };
}

function fits(planned: PlannedUnit, reached: ReadonlyMap<StreamId, number>, blocked: ReadonlySet<StreamId>): boolean {
  for (const { stream, expect } of planned.rows) {
    if (expect === null) continue;
    if (blocked.has(stream)) return false;
    const version = reached.get(stream);
    if (version !== undefined && version !== expect) return false;
  }
  for (const stream of planned.absent) if (blocked.has(stream) || (reached.get(stream) ?? 0) > 0) return false;
  return true;
}
