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
import { GroupCommitter } from '../../../eventstore/planner/group-committer.ts';
import type { Random } from './random.ts';
import { SimulatedConnection, type ConnectionOptions } from './simulated-connection.ts';
import { ConnectionLostError } from './store-errors.ts';

export interface SimulatedLogOptions extends ConnectionOptions {
  readonly random: Random;
}

/** The log adapter of one process: the real planner, group committer and tail, over a store that is a network away. */
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
  /** Rows that a query brings at most. */
  readonly #pageRows: number;
  #followersOfAll = 0;
  readonly #hear: () => void;

  constructor(options: SimulatedLogOptions) {
    const { simulator, database, owner, random } = options;
    this.#options = options;
    this.#commits = random.of('commits');
    this.#reads = random.of('reads');
    this.#pageRows = this.#reads.pick([2, 10, 200]);
    const connection = new SimulatedConnection(options, this.#commits.of('connection'));
    this.#committer = new GroupCommitter({
      commit: (batch) => connection.commit(batch),
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
    for (let version = after; ;) {
      await this.#way();
      const page = await take(this.#options.database.reader.readStream(stream, version), this.#pageRows);
      await this.#way();
      for (const row of page) {
        version = row.version + row.events.length - 1;
        yield row;
      }
      if (page.length < this.#pageRows) return;
    }
  }

  async readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    await this.#way();
    const rows = await this.#options.database.reader.readLast(streams);
    await this.#way();
    return rows;
  }

  async *readAll(after: Position): AsyncGenerator<RecordedUnit, void, undefined> {
    for (let position = after; ;) {
      await this.#way();
      const page = await take(this.#options.database.reader.readAll(position), this.#pageRows);
      await this.#way();
      for (const unit of page) {
        position = unit.lastPosition;
        yield unit;
      }
      if (page.length < this.#pageRows) return;
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

  /** To the store or back, for reads. */
  async #way(): Promise<void> {
    const { simulator, database, owner, weather } = this.#options;
    const { readSlow, readFailed } = weather();
    await simulator.sleep(
      this.#reads.chance(readSlow) ? this.#reads.between(5, 400) : this.#reads.between(0.05, 1),
      owner,
    );
    database.mustAnswer();
    if (this.#reads.chance(readFailed)) throw new ConnectionLostError();
  }
}

/** What a query found at the instant at which it was carried out: rows that come later are the next one's. */
async function take<Row>(rows: AsyncIterable<Row>, max: number): Promise<Row[]> {
  const page: Row[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length === max) break;
  }
  return page;
}
