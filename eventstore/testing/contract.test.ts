import type {
  AppendResult,
  EventLog,
  LogCapabilities,
  RecordedRow,
  RecordedUnit,
  StreamId,
  Unit,
} from '../event-log.ts';
import { MemoryLog, MemoryStore } from '../memory/memory-log.ts';
import { eventLogContract } from './contract.ts';

/** Proves that the contract asks of an adapter nothing that it has not declared: this one leaves gaps between positions. */
class SparseLog implements EventLog {
  readonly capabilities: LogCapabilities = {
    densePositions: false,
    hashChain: false,
    speculation: false,
    atomicAbsence: false,
  };
  readonly #log: MemoryLog;

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    return this.#log.submit(unit, (result) => {
      settled(result.outcome === 'committed' ? { ...result, ...spread(result) } : result);
    });
  }

  async *readStream(stream: StreamId, after?: number) {
    for await (const row of this.#log.readStream(stream, after)) {
      yield { ...row, position: row.position * gap, unitPosition: row.unitPosition * gap };
    }
  }

  async readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    const found = await this.#log.readLast(streams);
    return new Map([...found].map(([stream, row]) => [stream, { ...row, position: row.position * gap }]));
  }

  async *readAll(after: number) {
    for await (const unit of this.#log.readAll(Math.floor(after / gap))) yield spreadUnit(unit);
  }

  async *subscribe(after: number, signal: AbortSignal) {
    for await (const unit of this.#log.subscribe(Math.floor(after / gap), signal)) yield spreadUnit(unit);
  }

  async lastPosition(): Promise<number> {
    return (await this.#log.lastPosition()) * gap;
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}

const gap = 10;

function spread({ position, lastPosition }: { position: number; lastPosition: number }) {
  return { position: position * gap, lastPosition: lastPosition * gap };
}

function spreadUnit(unit: RecordedUnit): RecordedUnit {
  const rows = unit.rows.map((row) => ({ ...row, position: row.position * gap }));
  return { ...unit, ...spread(unit), rows };
}

eventLogContract(
  'a log that can do nothing beyond the least',
  {
    capabilities: { densePositions: false, hashChain: false, speculation: false, atomicAbsence: false },
    randomRuns: 50,
  },
  () => {
    const store = new MemoryStore();
    const logs: SparseLog[] = [];
    return Promise.resolve({
      open(limits) {
        const log = new SparseLog(new MemoryLog({ store, ...limits }));
        logs.push(log);
        return log;
      },
      async dispose() {
        await Promise.all(logs.map((log) => log.close()));
      },
    });
  },
);
