import type {
  AppendResult,
  EventLog,
  LogCapabilities,
  Position,
  RecordedEvent,
  RecordedRow,
  RecordedUnit,
  StreamId,
  StreamRow,
  Unit,
  Whose,
} from '../event-log.ts';
import { follow, LogTail } from '../log-tail.ts';
import type { Batch, BatchLimits } from '../planner/batch-planner.ts';
import { digestOf, linkOf } from '../planner/digest.ts';
import type { CommitAnswer } from '../planner/group-committer.ts';
import { GroupCommitter } from '../planner/group-committer.ts';
import type { UnitLimits } from '../planner/planned-unit.ts';

/** One commit of the memory store, with its link of the hash chain. */
export interface MemoryCommit {
  readonly position: Position;
  readonly count: number;
  readonly recordedAt: Date;
  readonly digest: Buffer;
  readonly hash: Buffer;
}

/** What is "on disk": shared by all memory logs that stand for processes on one store. */
export class MemoryStore {
  readonly units: RecordedUnit[] = [];
  readonly commits: MemoryCommit[] = [];
  readonly streams = new Map<StreamId, StreamRow[]>();
  readonly tails = new Set<LogTail>();

  get last(): Position {
    return this.units.at(-1)?.lastPosition ?? 0;
  }

  version(stream: StreamId): number {
    const row = this.streams.get(stream)?.at(-1);
    return row === undefined ? 0 : row.version + row.events.length - 1;
  }

  /** What `eventstore.append` does in Postgres: the whole batch, or the heads that are stale. */
  commit(batch: Batch, now: Date): CommitAnswer {
    const heads = new Map<StreamId, number>();
    const systemVersions = new Map<string, number>();
    for (const [stream, expect] of batch.expected) {
      const version = this.version(stream);
      if (expect === null) systemVersions.set(stream, version);
      else if (version !== expect) heads.set(stream, version);
    }
    if (heads.size > 0) return { outcome: 'stale', heads };
    const position = this.last + 1;
    const recordedAt = new Date(Math.max(now.getTime(), this.commits.at(-1)?.recordedAt.getTime() ?? 0));
    for (const planned of batch.units) {
      const unitPosition = this.last + 1;
      let next = unitPosition;
      const { id, meta } = planned.unit;
      const rows = planned.rows.map((row): RecordedRow => {
        const recorded: StreamRow = {
          position: next,
          stream: row.stream,
          version: this.version(row.stream) + 1,
          // Through JSON, as any store would: what cannot survive it must not seem to.
          events: JSON.parse(row.events) as RecordedEvent[],
          unitPosition,
          unitId: id,
          recordedAt,
          meta,
        };
        next += row.count;
        const rowsOfStream = this.streams.get(row.stream);
        if (rowsOfStream === undefined) this.streams.set(row.stream, [recorded]);
        else rowsOfStream.push(recorded);
        return {
          position: recorded.position,
          stream: recorded.stream,
          version: recorded.version,
          events: recorded.events,
        };
      });
      this.units.push({ id, position: unitPosition, lastPosition: next - 1, recordedAt, meta, rows });
    }
    const count = this.last - position + 1;
    const digest = digestOf(batch.units);
    const previous = this.commits.at(-1)?.hash ?? Buffer.alloc(0);
    const hash = linkOf(previous, position, count, BigInt(recordedAt.getTime()) * 1000n, digest);
    this.commits.push({ position, count, recordedAt, digest, hash });
    return { outcome: 'committed', position, recordedAt, systemVersions };
  }
}

export interface MemoryLogOptions {
  /** Several logs on one store behave like several processes on one database. */
  readonly store?: MemoryStore;
  readonly now?: () => Date;
  readonly unitLimits?: Partial<UnitLimits>;
  readonly batchLimits?: Partial<BatchLimits>;
  readonly schedule?: (work: () => void) => void;
}

/** The log in memory, over the same batch planner: for tests and the simulation. Nothing survives the process. */
export class MemoryLog implements EventLog {
  readonly capabilities: LogCapabilities = {
    densePositions: true,
    hashChain: true,
    speculation: true,
    atomicAbsence: true,
  };
  readonly store: MemoryStore;
  readonly #committer: GroupCommitter;
  readonly #tail = new LogTail();
  readonly #closed = new AbortController();

  constructor(options: MemoryLogOptions = {}) {
    const store = options.store ?? new MemoryStore();
    const now = options.now ?? (() => new Date());
    this.store = store;
    store.tails.add(this.#tail);
    this.#committer = new GroupCommitter({
      commit: (batch) => Promise.resolve(store.commit(batch, now())),
      committed: () => {
        for (const tail of store.tails) tail.reached(store.last);
      },
      ...(options.unitLimits && { unitLimits: options.unitLimits }),
      ...(options.batchLimits && { batchLimits: options.batchLimits }),
      ...(options.schedule && { schedule: options.schedule }),
    });
  }

  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    return this.#committer.submit(unit, settled);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
  async *readStream(stream: StreamId, after = 0): AsyncGenerator<StreamRow, void, undefined> {
    for (const row of this.store.streams.get(stream) ?? []) if (row.version + row.events.length - 1 > after) yield row;
  }

  readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    const found = new Map<StreamId, RecordedRow>();
    for (const stream of streams) {
      const row = this.store.streams.get(stream)?.at(-1);
      if (row !== undefined) found.set(stream, row);
    }
    return Promise.resolve(found);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
  async *readAll(after: Position): AsyncGenerator<RecordedUnit, void, undefined> {
    let low = 0;
    let high = this.store.units.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.store.units[middle] as RecordedUnit).lastPosition <= after) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < this.store.units.length; index++) yield this.store.units[index] as RecordedUnit;
  }

  subscribe(after: Position, signal: AbortSignal, whose?: Whose): AsyncIterable<RecordedUnit> {
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    return follow(after, ended, this.#tail, (position) => this.readAll(position), whose);
  }

  lastPosition(): Promise<Position> {
    return Promise.resolve(this.store.last);
  }

  async close(): Promise<void> {
    await this.#committer.close();
    this.#closed.abort();
    this.store.tails.delete(this.#tail);
  }
}
