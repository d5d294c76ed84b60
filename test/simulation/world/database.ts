import { MemoryLog, MemoryStore } from '../../../eventstore/index.ts';
import type { Batch } from '../../../eventstore/planner/batch-planner.ts';
import type { CommitAnswer } from '../../../eventstore/planner/group-committer.ts';
import { MemoryProjections } from '../../../src/projections/memory/write-batch.ts';
import { Finding } from '../model/finding.ts';
import type { Simulator } from './simulator.ts';
import { ConnectionLostError, diskFull } from './store-errors.ts';

/**
 * What is full, if anything is. `tables`: whatever would write is refused, reads go on. `log ahead`: the server has ended
 * itself, as PostgreSQL does when it cannot write its log ahead, and is back when there is room.
 */
export type Disk = 'roomy' | 'tables' | 'log ahead';

/** What survives every crash: the log and the tables of the projections, on a machine with a clock of its own. */
export class SimulatedDatabase {
  readonly store = new MemoryStore();
  readonly projections = new MemoryProjections();
  /** Reads the store as it is. */
  readonly reader = new MemoryLog({ store: this.store });
  clockOffsetMs = 0;
  disk: Disk = 'roomy';
  /** Told of every commit. */
  readonly listeners = new Set<() => void>();
  /** Told of what must not be. */
  onFinding: (finding: Finding) => void = () => undefined;
  readonly #simulator: Simulator;
  /** Of batches whose process was told that they failed for good. */
  readonly #failed = new Set<string>();
  readonly #answers = new Map<string, CommitAnswer>();

  constructor(simulator: Simulator) {
    this.#simulator = simulator;
  }

  /** One call of `eventstore.append`: a batch id that it knows gets its first answer. Throws what the driver would. */
  append(id: string, batch: Batch): CommitAnswer {
    this.mustAnswer();
    const known = this.#answers.get(id);
    if (known !== undefined) return known;
    this.mustHaveRoom();
    const answer = this.store.commit(batch, new Date(this.#simulator.now + this.clockOffsetMs));
    if (answer.outcome !== 'committed') return answer;
    this.#answers.set(id, answer);
    if (this.#failed.has(id)) this.#foundLater(id);
    for (const listener of this.listeners) listener();
    return answer;
  }

  /** A process takes a batch to have failed for good. */
  failed(id: string): void {
    this.#failed.add(id);
    if (this.#answers.has(id)) this.#foundLater(id);
  }

  #foundLater(id: string): void {
    this.onFinding(new Finding('7 failed', `batch ${id} is in the log, and was said to have failed`));
  }

  /** Of everything that is asked of it. */
  mustAnswer(): void {
    if (this.disk === 'log ahead') throw new ConnectionLostError();
  }

  /** Of everything that writes. */
  mustHaveRoom(): void {
    this.mustAnswer();
    if (this.disk === 'tables') throw diskFull();
  }
}
