import type { AppendResult, Position, RecordedRow, RecordedUnit, StreamId, Unit } from '../event-log.ts';
import type { Batch, BatchLimits } from './batch-planner.ts';
import { BatchPlanner, defaultBatchLimits } from './batch-planner.ts';
import type { PlannedUnit, UnitLimits } from './planned-unit.ts';
import { defaultUnitLimits, planUnit } from './planned-unit.ts';

/** What a store says of one batch. It must keep asking while it does not know. */
export type CommitAnswer =
  | {
      readonly outcome: 'committed';
      readonly position: Position;
      readonly recordedAt: Date;
      /** Version of each unconstrained stream of the batch before the batch. */
      readonly systemVersions: ReadonlyMap<string, number>;
    }
  | { readonly outcome: 'stale'; readonly heads: ReadonlyMap<StreamId, number> }
  | { readonly outcome: 'failed'; readonly error: Error }
  /** The store was asked until nobody would wait any longer. Only while the log is being closed. */
  | { readonly outcome: 'unknown'; readonly error: Error };

/** Units of this process that became durable together. */
export interface CommittedBatch {
  readonly position: Position;
  readonly lastPosition: Position;
  /** The units as a reader of the log would get them: made only for those who want them. */
  readonly recorded: () => readonly RecordedUnit[];
}

export interface GroupCommitterOptions {
  readonly commit: (batch: Batch) => Promise<CommitAnswer>;
  /**
   * Resolves when the store has been handed all of the batch that is being committed, or will not be soon. Whoever is
   * told goes on at once, and keeps this process too busy to hand over the rest: the store would have nothing to do
   * meanwhile. Default: `commit` hands it over when it is called.
   */
  readonly handedOver?: () => Promise<void>;
  /** Called in the order of positions when a batch became durable, after its units' `settled`. */
  readonly committed?: (batch: CommittedBatch) => void;
  readonly unitLimits?: Partial<UnitLimits>;
  readonly batchLimits?: Partial<BatchLimits>;
  /** Starts the work of a new batch after the current turn, so that one turn's units share it. */
  readonly schedule?: (work: () => void) => void;
}

/** Group commit: units that arrive while a commit is in flight go into the next one. One commit in flight at a time. */
export class GroupCommitter {
  readonly #planner: BatchPlanner;
  readonly #unitLimits: UnitLimits;
  readonly #options: GroupCommitterOptions;
  readonly #schedule: (work: () => void) => void;
  #state: 'idle' | 'scheduled' | 'committing' = 'idle';
  #closing: PromiseWithResolvers<void> | undefined;
  #tellingFallen = false;
  /** The units of the last commit, while they wait to be told until the next one is handed over. */
  #untold: Promise<void> | undefined;

  constructor(options: GroupCommitterOptions) {
    this.#options = options;
    this.#planner = new BatchPlanner({ ...defaultBatchLimits, ...options.batchLimits });
    this.#unitLimits = { ...defaultUnitLimits, ...options.unitLimits };
    this.#schedule = options.schedule ?? ((work) => setImmediate(work));
  }

  /** Units that wait for a commit to begin. */
  get waiting(): number {
    return this.#planner.waiting;
  }

  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    if (this.#tellingFallen) {
      throw new Error('nothing can be decided within `settled` of a unit that fell: others have not been told yet');
    }
    const planned = planUnit(unit, this.#unitLimits, settled);
    if (this.#closing !== undefined || !this.#planner.add(planned)) return 'overloaded';
    if (this.#state === 'idle') {
      this.#state = 'scheduled';
      this.#schedule(() => this.#begin());
    }
    return 'queued';
  }

  /**
   * Takes no more units and resolves when those that it has are settled. Rejects when the outcome of the last batch stays
   * unknown; its units are never told.
   */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers();
      if (this.#state === 'idle') this.#closing.resolve();
    }
    return this.#closing.promise;
  }

  #begin(): void {
    const batch = this.#planner.next();
    if (batch === undefined) {
      this.#state = 'idle';
      this.#closing?.resolve();
      return;
    }
    this.#state = 'committing';
    this.#options.commit(batch).then(
      (answer) => this.#answered(batch, answer),
      (error: unknown) =>
        this.#answered(batch, {
          outcome: 'failed',
          error: error instanceof Error ? error : new Error(String(error)),
        }),
    );
  }

  #answered(batch: Batch, answer: CommitAnswer): void {
    if (this.#untold === undefined) this.#settle(batch, answer);
    else void this.#untold.then(() => this.#settle(batch, answer));
  }

  #settle(batch: Batch, answer: CommitAnswer): void {
    switch (answer.outcome) {
      case 'committed': {
        // The next commit starts first: the store works while this process tells people about the last one.
        this.#begin();
        if (this.#state === 'idle' || this.#options.handedOver === undefined) {
          this.#tellCommitted(batch, answer);
          return;
        }
        this.#untold = this.#options.handedOver().then(() => {
          this.#untold = undefined;
          this.#tellCommitted(batch, answer);
        });
        return;
      }
      case 'stale': {
        const refused = this.#planner.refuse(batch, answer.heads);
        this.#tellFallen(refused.map(({ unit, ...why }) => [unit, { outcome: 'stale', ...why }]));
        break;
      }
      case 'failed': {
        const { error } = answer;
        this.#tellFallen(this.#planner.fail(batch).map((unit) => [unit, { outcome: 'failed', error }]));
        break;
      }
      case 'unknown': {
        const error = new Error('the log was closed before the unit was sent to the store', { cause: answer.error });
        this.#tellFallen(this.#planner.drop().map((unit) => [unit, { outcome: 'failed', error }]));
        this.#state = 'idle';
        this.#closing ??= Promise.withResolvers();
        this.#closing.reject(answer.error);
        return;
      }
    }
    // Not at once: the refused are decided again in this turn, and belong into the next batch.
    this.#state = 'scheduled';
    this.#schedule(() => this.#begin());
  }

  #tellCommitted(batch: Batch, answer: CommitAnswer & { outcome: 'committed' }): void {
    const { position, recordedAt } = answer;
    let next = position;
    for (const planned of batch.units) {
      const first = next;
      next += planned.count;
      tell(planned, { outcome: 'committed', position: first, lastPosition: next - 1, recordedAt });
    }
    this.#options.committed?.({ position, lastPosition: next - 1, recorded: () => recordUnits(batch, answer) });
  }

  #tellFallen(fallen: readonly (readonly [PlannedUnit, AppendResult])[]): void {
    this.#tellingFallen = true;
    for (const [planned, result] of fallen) tell(planned, result);
    this.#tellingFallen = false;
  }
}

/** One who throws is heard of as an uncaught exception; the others are told all the same. */
export function tell(planned: PlannedUnit, result: AppendResult): void {
  try {
    planned.settled(result);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function recordUnits(batch: Batch, answer: CommitAnswer & { outcome: 'committed' }): RecordedUnit[] {
  const systemVersions = new Map(answer.systemVersions);
  let position = answer.position;
  return batch.units.map((planned: PlannedUnit) => {
    const first = position;
    const rows: RecordedRow[] = planned.unit.appends.map(({ stream, expect, events }) => {
      const before = expect === 'any' ? (systemVersions.get(stream) ?? 0) : expect;
      if (expect === 'any') systemVersions.set(stream, before + events.length);
      const row = { position, stream, version: before + 1, events };
      position += events.length;
      return row;
    });
    const { id, meta } = planned.unit;
    return { id, position: first, lastPosition: position - 1, recordedAt: answer.recordedAt, meta, rows };
  });
}
