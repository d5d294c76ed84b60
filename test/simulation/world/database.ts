import { MemoryLog, MemoryStore } from '../../../eventstore/index.ts';
import type { Batch } from '../../../eventstore/planner/batch-planner.ts';
import type { CommitAnswer } from '../../../eventstore/planner/group-committer.ts';
import { MemoryProjections } from '../../../src/projections/memory/write-batch.ts';
import type { Simulator } from './simulator.ts';

/** What survives every crash: the log and the tables of the projections, on a machine with a clock of its own. */
export class SimulatedDatabase {
  readonly store = new MemoryStore();
  readonly projections = new MemoryProjections();
  /** Reads the store as it is. */
  readonly reader = new MemoryLog({ store: this.store });
  clockOffsetMs = 0;
  isFull = false;
  /** Told of every commit. */
  readonly listeners = new Set<() => void>();
  readonly #simulator: Simulator;
  readonly #answers = new Map<string, CommitAnswer>();

  constructor(simulator: Simulator) {
    this.#simulator = simulator;
  }

  /** One call of `eventstore.append`: a batch id that it knows gets its first answer. Undefined: the disk is full. */
  append(id: string, batch: Batch): CommitAnswer | undefined {
    const known = this.#answers.get(id);
    if (known !== undefined) return known;
    if (this.isFull) return undefined;
    const answer = this.store.commit(batch, new Date(this.#simulator.now + this.clockOffsetMs));
    if (answer.outcome !== 'committed') return answer;
    this.#answers.set(id, answer);
    for (const listener of this.listeners) listener();
    return answer;
  }
}
