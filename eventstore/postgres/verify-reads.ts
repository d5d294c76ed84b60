import type pg from 'pg';
import type { Position, RecordedRow } from '../event-log.ts';
import type { LogRow } from './row-assembler.ts';
import { logColumns, parseRow } from './row-assembler.ts';

export interface Commit {
  readonly position: Position;
  readonly count: number;
  readonly recordedAtMicros: bigint;
  readonly digest: Buffer;
  readonly hash: Buffer;
}

export interface ReadRow {
  readonly raw: LogRow;
  readonly row: RecordedRow;
  readonly count: number;
  readonly unit: Position;
  readonly recordedAtMicros: bigint | undefined;
}

export interface ReadOptions {
  readonly client: pg.ClientBase;
  readonly signal?: AbortSignal | undefined;
  /** Told after every page of rows. */
  readonly onProgress?: (position: Position) => void;
  /** Rows read at once. Default 5,000. */
  readonly pageRows?: number;
}

/** All rows of the log in the order of positions, without believing that they are dense. */
export async function* readRows({
  client,
  signal,
  onProgress,
  pageRows = 5_000,
}: ReadOptions): AsyncGenerator<ReadRow> {
  const read = (after: Position): Promise<pg.QueryResult<unknown[]>> =>
    client.query<unknown[]>({
      name: 'eventstore.verify-rows',
      rowMode: 'array',
      text: `select ${logColumns}, (extract(epoch from l.recorded_at) * 1000000)::bigint::text
        from eventstore.log l where l.position > $1 order by l.position limit $2`,
      values: [after, pageRows],
    });
  let page = read(0);
  for (;;) {
    signal?.throwIfAborted();
    const { rows } = await page;
    const last = rows.at(-1);
    if (last === undefined) return;
    const position = Number(last[0]);
    // The next page is on its way while this one is checked.
    page = read(position);
    page.catch(() => undefined);
    for (const values of rows) {
      const raw = values as unknown as LogRow;
      const micros = values[8] as string | null;
      yield {
        raw,
        row: parseRow(raw),
        count: Number(raw[1]),
        unit: Number(raw[2]),
        recordedAtMicros: micros === null ? undefined : BigInt(micros),
      };
    }
    onProgress?.(position + Number(last[1]) - 1);
  }
}

/** All commits, with the recorded time in the microseconds that the chain is over. */
export async function* readCommits(client: pg.ClientBase): AsyncGenerator<Commit, undefined> {
  for (let after = 0; ;) {
    const { rows } = await client.query<{
      position: string;
      count: number;
      micros: string;
      digest: Buffer;
      hash: Buffer;
    }>({
      name: 'eventstore.verify-commits',
      text: `select position, count, (extract(epoch from recorded_at) * 1000000)::bigint as micros, digest, hash
        from eventstore.commits where position > $1 order by position limit 5000`,
      values: [after],
    });
    for (const { position, count, micros, digest, hash } of rows) {
      after = Number(position);
      yield { position: after, count, recordedAtMicros: BigInt(micros), digest, hash };
    }
    if (rows.length === 0) return undefined;
  }
}
