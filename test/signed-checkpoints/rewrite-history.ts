import type pg from 'pg';
import { digestOf, linkOf, type DigestUnit } from '../../eventstore/planner/digest.ts';

export interface StoredEvent {
  readonly type: string;
  data: Record<string, unknown>;
}

export interface StoredRow {
  readonly position: number;
  readonly unit: number;
  readonly stream: string;
  readonly events: StoredEvent[];
}

/**
 * What somebody with the database's password can do: changes events wherever they like, and makes the digests and the
 * links of all commits anew, so that the log holds in itself.
 *
 * @param change changes the events of a row in place
 */
export async function rewriteHistory(pool: pg.Pool, change: (row: StoredRow) => void): Promise<void> {
  const { rows } = await pool.query<{
    position: string;
    unit: string;
    stream: string;
    version: string;
    count: number;
    meta: string | null;
    events: string;
  }>('select position, unit, stream, version, count, meta::text, events::text from eventstore.log order by position');
  const { rows: commits } = await pool.query<{ position: string; count: number; micros: string }>(
    `select position, count, (extract(epoch from recorded_at) * 1000000)::bigint as micros
     from eventstore.commits order by position`,
  );
  let hash: Buffer = Buffer.alloc(0);
  for (const commit of commits) {
    const [first, end] = [Number(commit.position), Number(commit.position) + commit.count];
    const units: { meta: string; rows: DigestUnit['rows'][number][] }[] = [];
    for (const row of rows) {
      const position = Number(row.position);
      if (position < first || position >= end) continue;
      const changed = {
        position,
        unit: Number(row.unit),
        stream: row.stream,
        events: JSON.parse(row.events) as StoredEvent[],
      };
      change(changed);
      const events = JSON.stringify(changed.events);
      if (events !== row.events) {
        await pool.query('update eventstore.log set events = $2::json where position = $1', [position, events]);
      }
      if (row.meta !== null) units.push({ meta: row.meta, rows: [] });
      const expect = row.stream.startsWith('system/') ? null : Number(row.version) - 1;
      units.at(-1)?.rows.push({ stream: row.stream, expect, count: row.count, events });
    }
    const digest = digestOf(units);
    hash = linkOf(hash, first, commit.count, BigInt(commit.micros), digest);
    await pool.query('update eventstore.commits set digest = $2, hash = $3 where position = $1', [first, digest, hash]);
  }
}
