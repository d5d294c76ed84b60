import pg from 'pg';
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
  Whose,
} from '../event-log.ts';
import { LogCorruptionError } from '../event-log.ts';
import { follow, LogTail } from '../log-tail.ts';
import type { Batch, BatchLimits } from '../planner/batch-planner.ts';
import type { CommitAnswer } from '../planner/group-committer.ts';
import { GroupCommitter } from '../planner/group-committer.ts';
import type { UnitLimits } from '../planner/planned-unit.ts';
import { CommitterConnection } from './committer-connection.ts';
import type { LogRow } from './row-assembler.ts';
import { logColumns, parseMeta, parseRow, UnitAssembler } from './row-assembler.ts';

export interface PostgresLogOptions {
  /** Connection for appends and reads; a connection string or the fields of `pg`. */
  readonly config: pg.PoolConfig;
  readonly unitLimits?: Partial<UnitLimits>;
  readonly batchLimits?: Partial<BatchLimits>;
  /** Rows that a read fetches at once. Default 2,000. */
  readonly pageRows?: number;
  /** How often other processes' appends are looked for while somebody waits for them. Default 25 ms. */
  readonly pollMs?: number;
  /** How long an append waits for another process's before it says so and asks again. Default 10 s. */
  readonly lockTimeoutMs?: number;
  /** How long an append may take in the store. Default 60 s. */
  readonly statementTimeoutMs?: number;
  /** How long a call may be silent before its connection is taken for dead, and the batch is sent again. Default 10 s more than that. */
  readonly answerTimeoutMs?: number;
  /** How long `close` goes on asking a store that does not answer. Default 10 s. */
  readonly closePatienceMs?: number;
  /** Told when appends begin to wait for the store (with the reason) and when they go on (undefined). */
  readonly onTrouble?: (error: Error | undefined) => void;
  /** Told of every commit. */
  readonly onCommit?: (commit: CommitTold) => void;
}

/** Positions per partition, as in `eventstore.ensure_partition`. */
const partitionSize = 100_000_000;

/** So many looks in a row may be taken for our own batch. */
const doubtsMax = 10;

/** The log on Postgres: one call of one function per batch; see `migrations/0001_log.sql`. */
export class PostgresLog implements EventLog {
  readonly capabilities: LogCapabilities = {
    densePositions: true,
    hashChain: true,
    speculation: true,
    atomicAbsence: true,
  };
  readonly #pool: pg.Pool;
  readonly #connection: CommitterConnection;
  readonly #committer: GroupCommitter;
  readonly #tail = new LogTail();
  readonly #pageRows: number;
  readonly #pollMs: number;
  readonly #closed = new AbortController();
  #followers = 0;
  #followersOfAll = 0;
  #poll: NodeJS.Timeout | undefined;
  #partitionsTo = 0;
  /** Batches of ours that are at the store, or there and not told of yet. */
  #unpublished = 0;
  /** Looks that found something new since we last published. */
  #doubts = 0;
  #closing: Promise<void> | undefined;
  readonly #closePatienceMs: number;
  readonly #onCommit: ((commit: CommitTold) => void) | undefined;

  constructor(options: PostgresLogOptions) {
    this.#pool = new pg.Pool({
      max: 6,
      keepAlive: true,
      application_name: 'kora-reader',
      // A page takes milliseconds. A connection that is silent for so long is dead, and whoever follows must hear of it.
      query_timeout: 60_000,
      connectionTimeoutMillis: 30_000,
      ...options.config,
    });
    // An idle connection that breaks is replaced by the pool; queries that need one see their own errors.
    this.#pool.on('error', () => undefined);
    this.#pageRows = options.pageRows ?? 2_000;
    this.#pollMs = options.pollMs ?? 25;
    this.#closePatienceMs = options.closePatienceMs ?? 10_000;
    this.#onCommit = options.onCommit;
    this.#connection = new CommitterConnection(options);
    this.#committer = new GroupCommitter({
      commit: (batch) => this.#commit(batch),
      handedOver: () => this.#connection.handedOver(),
      committed: (batch) => {
        this.#unpublished -= 1;
        this.#doubts = 0;
        this.#tail.publish(batch, this.#followersOfAll > 0);
        this.#ensurePartition(batch.lastPosition);
      },
      ...(options.unitLimits && { unitLimits: options.unitLimits }),
      ...(options.batchLimits && { batchLimits: options.batchLimits }),
    });
  }

  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    return this.#committer.submit(unit, settled);
  }

  async *readStream(stream: StreamId, after = 0): AsyncGenerator<StreamRow, void, undefined> {
    let version = after;
    for (;;) {
      const { rows } = await this.#pool.query<unknown[]>({
        name: 'eventstore.read-stream',
        rowMode: 'array',
        // The meta is on the unit's first row, which may be another stream's.
        text: `select ${logColumns}, u.meta::text, (extract(epoch from u.recorded_at) * 1000)::text
          from eventstore.log l join eventstore.log u on u.position = l.unit
          where l.stream = $1 and l.version >= coalesce((
            select r.version from (
              select version, count from eventstore.log where stream = $1 and version <= $2::bigint + 1
              order by version desc limit 1
            ) as r where r.version + r.count > $2::bigint + 1), $2::bigint + 1)
          order by l.version limit $3`,
        values: [stream, version, this.#pageRows],
      });
      for (const raw of rows) {
        const row = parseRow(raw as unknown as LogRow);
        // Only the first row may begin before the version that was asked for.
        if (row.version > version + 1 || (row.version <= version && version !== after)) {
          throw new LogCorruptionError(
            `stream ${stream} has no version ${version + 1}; the next is ${row.version}`,
            row.position,
          );
        }
        version = row.version + row.events.length - 1;
        const { id, meta } = parseMeta(raw[8] as string);
        yield { ...row, unitPosition: Number(raw[2]), unitId: id, recordedAt: new Date(Number(raw[9])), meta };
      }
      if (rows.length < this.#pageRows) return;
    }
  }

  async readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    const { rows } = await this.#pool.query<unknown[]>({
      name: 'eventstore.read-last',
      rowMode: 'array',
      text: `select ${logColumns}
        from unnest($1::text[]) as s(stream)
        join eventstore.heads h on h.stream = s.stream
        join eventstore.log l on l.position = h.position`,
      values: [streams],
    });
    return new Map(rows.map((raw) => [raw[3] as StreamId, parseRow(raw as unknown as LogRow)]));
  }

  async *readAll(after: Position): AsyncGenerator<RecordedUnit, void, undefined> {
    let page = this.#readPage(after);
    const start = (await this.#startOfUnit(after, (await page)[0])) ?? after;
    if (start !== after) page = this.#readPage(start);
    const assembler = new UnitAssembler(start);
    for (;;) {
      const rows = await page;
      const units: RecordedUnit[] = [];
      for (const row of rows) {
        const unit = assembler.take(row);
        if (unit !== undefined) units.push(unit);
      }
      const more = rows.length === this.#pageRows || !assembler.whole;
      if (rows.length === 0 && !assembler.whole) {
        throw new LogCorruptionError(`the log ends in the middle of a unit`, assembler.position + 1);
      }
      // The next page is on its way while this one is being worked on; its failure is seen when it is awaited.
      if (more) {
        page = this.#readPage(assembler.position);
        page.catch(() => undefined);
      }
      yield* units;
      if (!more) return;
    }
  }

  async *subscribe(
    after: Position,
    signal: AbortSignal,
    whose: Whose = 'everything',
  ): AsyncGenerator<RecordedUnit, void, undefined> {
    const ofAll = whose === 'everything' ? 1 : 0;
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    this.#followers += 1;
    this.#followersOfAll += ofAll;
    this.#startPolling();
    try {
      yield* follow(after, ended, this.#tail, (position) => this.readAll(position), whose);
    } catch (error) {
      // A read that was cut off because nobody wants it any more.
      if (!ended.aborted) throw error;
    } finally {
      this.#followers -= 1;
      this.#followersOfAll -= ofAll;
    }
  }

  async lastPosition(): Promise<Position> {
    const { rows } = await this.#pool.query<{ last: string | null }>({
      name: 'eventstore.last-position',
      text: 'select (position + count - 1)::text as last from eventstore.commits order by position desc limit 1',
    });
    return Number(rows[0]?.last ?? 0);
  }

  /** Rejects with `OutcomeUnknownError` when the store does not say in `closePatienceMs` what became of the last batch. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#connection.askUntil(Date.now() + this.#closePatienceMs);
    try {
      await this.#committer.close();
    } finally {
      this.#closed.abort();
      clearTimeout(this.#poll);
      await this.#connection.close();
      await this.#pool.end();
    }
  }

  /** Position before the unit that holds `after` + 1, where that unit began earlier. */
  async #startOfUnit(after: Position, first: LogRow | undefined): Promise<Position | undefined> {
    if (after === 0 || (first !== undefined && Number(first[0]) === after + 1 && first[6] !== null)) return undefined;
    const { rows } = await this.#pool.query<{ before: string }>({
      name: 'eventstore.start-of-unit',
      text: `select (unit - 1)::text as before from (
          select unit, position + count as next from eventstore.log where position <= $1 order by position desc limit 1
        ) as r where next > $1`,
      values: [after + 1],
    });
    return rows[0] && Number(rows[0].before);
  }

  async #readPage(after: Position): Promise<LogRow[]> {
    const { rows } = await this.#pool.query<unknown[]>({
      name: 'eventstore.read-all',
      rowMode: 'array',
      text: `select ${logColumns} from eventstore.log l where l.position > $1 order by l.position limit $2`,
      values: [after, this.#pageRows],
    });
    return rows as unknown as LogRow[];
  }

  /** One poll for all followers. A failing look is not an error: the next one may go through, and readers see their own. */
  #startPolling(): void {
    if (this.#poll !== undefined) return;
    const look = (): void => {
      if (this.#followers === 0 || this.#closed.signal.aborted) {
        this.#poll = undefined;
        return;
      }
      this.lastPosition()
        .then((position) => this.#looked(position))
        .catch(() => undefined)
        .finally(() => (this.#poll = setTimeout(look, this.#pollMs)));
    };
    this.#poll = setTimeout(look, this.#pollMs);
  }

  async #commit(batch: Batch): Promise<CommitAnswer> {
    this.#unpublished += 1;
    const beganMs = performance.now();
    const answer = await this.#connection.commit(batch);
    if (answer.outcome !== 'committed') this.#unpublished -= 1;
    this.#onCommit?.({
      outcome: answer.outcome,
      units: batch.units.length,
      events: batch.units.reduce((sum, { count }) => sum + count, 0),
      tookMs: performance.now() - beganMs,
    });
    return answer;
  }

  /**
   * While a batch of ours is at the store, what is new there is most likely that batch: whoever followed would read from
   * the store what memory is about to hold. Its own news wakes everybody, foreign units before it included. Only when
   * it takes long is the look believed.
   */
  #looked(position: Position): void {
    if (position > this.#tail.known && this.#unpublished > 0 && this.#doubts++ < doubtsMax) return;
    this.#doubts = 0;
    this.#tail.reached(position);
  }

  /** A spare partition is made long before the last one is full; a failure is tried again with the next commit. */
  #ensurePartition(position: Position): void {
    const wanted = position + partitionSize / 2;
    if (wanted <= this.#partitionsTo) return;
    const before = this.#partitionsTo;
    this.#partitionsTo = Math.ceil(wanted / partitionSize) * partitionSize;
    this.#pool.query('select eventstore.ensure_partition($1)', [wanted]).catch(() => (this.#partitionsTo = before));
  }
}
