import type {
  AppendResult,
  EventLog,
  LogCapabilities,
  Position,
  RecordedRow,
  RecordedUnit,
  StreamId,
  StreamRow,
  Unit,
  Whose,
} from '../../../eventstore/index.ts';
import { follow, LogTail } from '../../../eventstore/log-tail.ts';
import type { Batch } from '../../../eventstore/planner/batch-planner.ts';
import { GroupCommitter, type CommitAnswer } from '../../../eventstore/planner/group-committer.ts';
import type { SimulatedDatabase } from './database.ts';
import type { Random } from './random.ts';
import type { Owner, Simulator } from './simulator.ts';
import type { Weather } from './weather.ts';

export interface SimulatedLogOptions {
  readonly simulator: Simulator;
  readonly database: SimulatedDatabase;
  readonly owner: Owner;
  /** Of this process in this life: batch ids are made from it. */
  readonly name: string;
  readonly random: Random;
  readonly weather: () => Weather;
}

/** A read failed: whoever asked asks again. */
export class StoreUnreachableError extends Error {
  override readonly name = 'StoreUnreachableError';
  readonly code = 'StoreUnreachable';
}

/**
 * The log adapter of one process: the real planner, group committer and tail, over a store that is a network away. Every
 * call takes time, may be lost on the way there or back, and is then made again as the Postgres adapter makes it again.
 */
export class SimulatedLog implements EventLog {
  readonly capabilities: LogCapabilities = {
    densePositions: true,
    hashChain: true,
    speculation: true,
    atomicAbsence: true,
  };
  readonly #options: SimulatedLogOptions;
  readonly #committer: GroupCommitter;
  readonly #tail = new LogTail(200);
  readonly #commits: Random;
  readonly #reads: Random;
  #batches = 0;
  #followersOfAll = 0;
  readonly #hear: () => void;

  constructor(options: SimulatedLogOptions) {
    const { simulator, database, owner, random } = options;
    this.#options = options;
    this.#commits = random.of('commits');
    this.#reads = random.of('reads');
    this.#committer = new GroupCommitter({
      commit: (batch) => this.#commit(batch),
      handedOver: () => simulator.sleep(this.#commits.between(0, 0.3), owner),
      committed: (batch) => this.#tail.publish(batch, this.#followersOfAll > 0),
      schedule: (work) => void simulator.after(0, work, owner),
      batchLimits: { batchUnitsMax: this.#commits.pick([1, 3, 500]), waitingUnitsMax: this.#commits.pick([6, 200]) },
    });
    // What the poll of the Postgres adapter comes to: sooner or later it looks, and sees all that is there.
    this.#hear = () => {
      const late = this.#reads.chance(options.weather().newsLate);
      const delayMs = late ? this.#reads.between(50, 2_000) : this.#reads.between(1, 25);
      simulator.after(delayMs, () => this.#tail.reached(database.store.last), owner);
    };
    database.listeners.add(this.#hear);
  }

  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    return this.#committer.submit(unit, settled);
  }

  async *readStream(stream: StreamId, after = 0): AsyncGenerator<StreamRow, void, undefined> {
    await this.#way();
    for await (const row of this.#options.database.reader.readStream(stream, after)) {
      yield row;
      if (this.#reads.chance(0.1)) await this.#way();
    }
  }

  async readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    await this.#way();
    const rows = await this.#options.database.reader.readLast(streams);
    await this.#way();
    return rows;
  }

  async *readAll(after: Position): AsyncGenerator<RecordedUnit, void, undefined> {
    await this.#way();
    for await (const unit of this.#options.database.reader.readAll(after)) {
      yield unit;
      if (this.#reads.chance(0.05)) await this.#way();
    }
  }

  async *subscribe(
    after: Position,
    signal: AbortSignal,
    whose: Whose = 'everything',
  ): AsyncGenerator<RecordedUnit, void, undefined> {
    const ofAll = whose === 'everything' ? 1 : 0;
    this.#followersOfAll += ofAll;
    try {
      yield* follow(after, signal, this.#tail, (position) => this.readAll(position), whose);
    } finally {
      this.#followersOfAll -= ofAll;
    }
  }

  async lastPosition(): Promise<Position> {
    await this.#way();
    const { last } = this.#options.database.store;
    await this.#way();
    return last;
  }

  close(): Promise<void> {
    return this.#committer.close();
  }

  /** The process is gone, and with it the poll. */
  forget(): void {
    this.#options.database.listeners.delete(this.#hear);
  }

  /** One call at a time, the identical batch until it is answered. */
  async #commit(batch: Batch): Promise<CommitAnswer> {
    const { simulator, owner, name, weather } = this.#options;
    const id = `${name}-${this.#batches++}`;
    let isInDoubt = false;
    for (let retryMs = 20; ; retryMs = Math.min(retryMs * 2, 1_000)) {
      const { commitLostBefore, commitLostAfter, commitLate, commitFailed } = weather();
      if (this.#commits.chance(commitLostBefore)) {
        isInDoubt = true;
        // The server may get to a call whose connection is long gone.
        if (this.#commits.chance(commitLate)) void this.#call(id, batch, this.#commits.between(5, 3_000));
      } else if (!isInDoubt && this.#commits.chance(commitFailed)) {
        await simulator.sleep(2 * this.#wayMs(), owner);
        return { outcome: 'failed', error: new Error('the store refused the batch') };
      } else {
        // Undefined: the disk is full, and the call is made again.
        const answer = await this.#call(id, batch, this.#wayMs());
        const isLost = this.#commits.chance(commitLostAfter);
        if (answer !== undefined && !isLost) return answer;
        isInDoubt ||= answer !== undefined;
      }
      await simulator.sleep(retryMs, owner);
    }
  }

  /** What is on its way arrives, whether its sender still lives or not; only a living one gets the answer. */
  #call(id: string, batch: Batch, wayMs: number): Promise<CommitAnswer | undefined> {
    const { simulator, database, owner } = this.#options;
    const backMs = this.#wayMs();
    return new Promise((resolve) => {
      simulator.after(wayMs, () => {
        const answer = database.append(id, batch);
        simulator.after(backMs, () => resolve(answer), owner);
      });
    });
  }

  /** To the store or back, for reads. */
  async #way(): Promise<void> {
    const { simulator, owner, weather } = this.#options;
    await simulator.sleep(this.#reads.between(0.05, 1), owner);
    if (this.#reads.chance(weather().readFailed))
      throw new StoreUnreachableError('the connection to the store was lost');
  }

  #wayMs(): number {
    return this.#commits.chance(this.#options.weather().slow)
      ? this.#commits.between(5, 500)
      : this.#commits.between(0.1, 3);
  }
}
