import type { AppendResult, Position, StreamId, Unit } from '../event-log.ts';
import type { BatchLimits } from './batch-planner.ts';
import { BatchPlanner, defaultBatchLimits, guardedStreams } from './batch-planner.ts';
import { tell } from './group-committer.ts';
import type { PlannedUnit, UnitLimits } from './planned-unit.ts';
import { defaultUnitLimits, planUnit } from './planned-unit.ts';

/** What a store says of one unit. It must keep asking while it does not know. */
export type UnitAnswer =
  | {
      readonly outcome: 'committed';
      readonly position: Position;
      readonly lastPosition: Position;
      readonly recordedAt: Date;
    }
  | { readonly outcome: 'stale'; readonly heads: ReadonlyMap<StreamId, number> }
  | { readonly outcome: 'failed'; readonly error: Error }
  /** The store was asked until nobody would wait any longer. Only while the log is being closed. */
  | { readonly outcome: 'unknown'; readonly error: Error };

export interface UnitCommitterOptions {
  readonly commit: (planned: PlannedUnit) => Promise<UnitAnswer>;
  /** Units that may be at the store at once. No two of them have a guarded stream in common. */
  readonly underWayMax: number;
  readonly unitLimits?: Partial<UnitLimits>;
  readonly batchLimits?: Partial<Pick<BatchLimits, 'waitingUnitsMax'>>;
}

/**
 * For stores that take one unit per call. Units that share no guarded stream are committed side by side; those that do,
 * one after the other, in the order in which they came. Refusal is as transitive as in the group commit: the planner is
 * the same.
 */
export class UnitCommitter {
  readonly #planner: BatchPlanner;
  readonly #unitLimits: UnitLimits;
  readonly #options: UnitCommitterOptions;
  readonly #streams = new Set<StreamId>();
  #underWay = 0;
  #scheduled = false;
  #tellingFallen = false;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(options: UnitCommitterOptions) {
    this.#options = options;
    this.#planner = new BatchPlanner({ ...defaultBatchLimits, ...options.batchLimits });
    this.#unitLimits = { ...defaultUnitLimits, ...options.unitLimits };
  }

  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    if (this.#tellingFallen) {
      throw new Error('nothing can be decided within `settled` of a unit that fell: others have not been told yet');
    }
    const planned = planUnit(unit, this.#unitLimits, settled);
    if (this.#closing !== undefined || !this.#planner.add(planned)) return 'overloaded';
    this.#schedule();
    return 'queued';
  }

  /**
   * Takes no more units and resolves when those that it has are settled. Rejects when the outcome of one stays unknown;
   * it is never told.
   */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers();
      this.#endIfDone();
    }
    return this.#closing.promise;
  }

  /** Not at once: what is handed in within one turn is planned together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#begin();
    });
  }

  #begin(): void {
    while (this.#underWay < this.#options.underWayMax) {
      const planned = this.#planner.nextApart(this.#streams);
      if (planned === undefined) break;
      this.#underWay += 1;
      for (const stream of guardedStreams(planned)) this.#streams.add(stream);
      this.#options.commit(planned).then(
        (answer) => this.#settle(planned, answer),
        (error: unknown) =>
          this.#settle(planned, {
            outcome: 'failed',
            error: error instanceof Error ? error : new Error(String(error)),
          }),
      );
    }
    this.#endIfDone();
  }

  #settle(planned: PlannedUnit, answer: UnitAnswer): void {
    this.#underWay -= 1;
    for (const stream of guardedStreams(planned)) this.#streams.delete(stream);
    const alone = { units: [planned], expected: new Map() };
    switch (answer.outcome) {
      case 'committed':
        tell(planned, answer);
        break;
      case 'stale': {
        const refused = this.#planner.refuse(alone, answer.heads);
        this.#tellFallen(refused.map(({ unit, ...why }) => [unit, { outcome: 'stale', ...why }]));
        break;
      }
      case 'failed': {
        const { error } = answer;
        this.#tellFallen(this.#planner.fail(alone).map((unit) => [unit, { outcome: 'failed', error }]));
        break;
      }
      case 'unknown': {
        const error = new Error('the log was closed before the unit was sent to the store', { cause: answer.error });
        this.#tellFallen(this.#planner.drop().map((unit) => [unit, { outcome: 'failed', error }]));
        this.#closing ??= Promise.withResolvers();
        this.#closing.reject(answer.error);
        break;
      }
    }
    this.#schedule();
  }

  #tellFallen(fallen: readonly (readonly [PlannedUnit, AppendResult])[]): void {
    this.#tellingFallen = true;
    for (const [planned, result] of fallen) tell(planned, result);
    this.#tellingFallen = false;
  }

  #endIfDone(): void {
    if (this.#underWay === 0 && !this.#scheduled && this.#planner.waiting === 0) this.#closing?.resolve();
  }
}
