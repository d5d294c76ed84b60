import type { KurrentDBClient } from '@kurrent/kurrentdb-client';
import type {
  AppendResult,
  CommitTold,
  EventLog,
  LogCapabilities,
  Position,
  RecordedRow,
  RecordedUnit,
  StreamId,
  StreamRow,
  Unit,
} from '../event-log.ts';
import type { BatchLimits } from '../planner/batch-planner.ts';
import type { UnitLimits } from '../planner/planned-unit.ts';
import { UnitCommitter } from '../planner/unit-committer.ts';
import { followAll } from './follow-all.ts';
import { LogReader } from './log-reader.ts';
import { StreamNames } from './stored-form.ts';
import { UnitAppender } from './unit-appender.ts';

export interface KurrentLogOptions {
  /** `kurrentdb://…`, in the words of the client. */
  readonly url: string;
  /** Name of the log: several may share a server. Small letters, digits and `-`. Default `kora`. */
  readonly namespace?: string;
  readonly unitLimits?: Partial<UnitLimits>;
  readonly batchLimits?: Partial<BatchLimits>;
  /** Units that may be at the store at once. Default 16. */
  readonly underWayMax?: number;
  /** How long `close` goes on asking a store that does not answer. Default 10 s. */
  readonly closePatienceMs?: number;
  /** Told when appends begin to wait for the store (with the reason) and when they go on (undefined). */
  readonly onTrouble?: (error: Error | undefined) => void;
  /** Told of every unit's append: its answer from the store, in doubt and asked for again included. */
  readonly onCommit?: (commit: CommitTold) => void;
}

/**
 * Opens the log in a KurrentDB of version 25.1 or later. The client is loaded here and nowhere else: it brings a native
 * module and a gRPC stack, for which nobody on another store should wait.
 */
export async function openKurrentLog(options: KurrentLogOptions): Promise<KurrentLog> {
  const { KurrentDBClient } = await import('@kurrent/kurrentdb-client');
  const client = KurrentDBClient.connectionString(options.url);
  return new KurrentLog(client, { ...options, letGo: () => letGoOf(client) });
}

/** The client ends its calls, but says nowhere how its connection is ended: left open, it would ping for ever. */
async function letGoOf(client: KurrentDBClient): Promise<void> {
  await client.dispose();
  const { getChannel } = client as unknown as { readonly getChannel: () => Promise<{ close(): void }> };
  (await getChannel()).close();
}

/** The log on KurrentDB: one `multiStreamAppend` per unit; see `docs/kurrentdb.md`. */
export class KurrentLog implements EventLog {
  readonly capabilities: LogCapabilities = {
    densePositions: false,
    hashChain: false,
    speculation: false,
    atomicAbsence: false,
  };
  readonly #client: KurrentDBClient;
  readonly #reader: LogReader;
  readonly #appender: UnitAppender;
  readonly #committer: UnitCommitter;
  readonly #closed = new AbortController();
  readonly #closePatienceMs: number;
  readonly #letGo: (() => Promise<void>) | undefined;
  #closing: Promise<void> | undefined;

  /** @param options `letGo`: called when the log was closed. */
  constructor(client: KurrentDBClient, options: Omit<KurrentLogOptions, 'url'> & { letGo?: () => Promise<void> }) {
    const { namespace = 'kora', underWayMax = 16, closePatienceMs = 10_000, onTrouble, onCommit } = options;
    this.#client = client;
    this.#letGo = options.letGo;
    this.#closePatienceMs = closePatienceMs;
    this.#reader = new LogReader(client, new StreamNames(namespace));
    const appender = new UnitAppender({ client, reader: this.#reader, ...(onTrouble && { onTrouble }) });
    this.#appender = appender;
    this.#committer = new UnitCommitter({
      commit: async (planned) => {
        const beganMs = performance.now();
        const answer = await appender.append(planned);
        onCommit?.({
          outcome: answer.outcome,
          units: 1,
          events: planned.count,
          tookMs: performance.now() - beganMs,
        });
        return answer;
      },
      underWayMax,
      ...(options.unitLimits && { unitLimits: options.unitLimits }),
      ...(options.batchLimits && { batchLimits: options.batchLimits }),
    });
  }

  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    return this.#committer.submit(unit, settled);
  }

  readStream(stream: StreamId, after = 0): AsyncGenerator<StreamRow, void, undefined> {
    return this.#reader.rows(stream, after);
  }

  readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    return this.#reader.lastRows(streams);
  }

  readAll(after: Position): AsyncGenerator<RecordedUnit, void, undefined> {
    return this.#reader.units(after);
  }

  subscribe(after: Position, signal: AbortSignal): AsyncGenerator<RecordedUnit, void, undefined> {
    return followAll(this.#client, this.#reader, after, AbortSignal.any([signal, this.#closed.signal]));
  }

  lastPosition(): Promise<Position> {
    return this.#reader.lastPosition();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const patience = setTimeout(() => this.#appender.askUntil(0), this.#closePatienceMs);
    try {
      await this.#committer.close();
    } finally {
      clearTimeout(patience);
      this.#closed.abort();
      await this.#letGo?.();
    }
  }
}
