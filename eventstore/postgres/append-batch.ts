import type pg from 'pg';
import { randomUUID } from 'node:crypto';
import type { StreamId } from '../event-log.ts';
import type { Batch } from '../planner/batch-planner.ts';
import { digestOf } from '../planner/digest.ts';
import type { CommitAnswer } from '../planner/group-committer.ts';
import { int4Array, int8Array, textArray } from './binary-array.ts';

/** A batch as the parameters of `eventstore.append`: made once, sent byte for byte the same until it is answered. */
export interface EncodedBatch {
  readonly id: string;
  readonly values: readonly unknown[];
}

export function encodeBatch(batch: Batch): EncodedBatch {
  const offsets: number[] = [];
  const counts: number[] = [];
  const units: number[] = [];
  const streams: string[] = [];
  const versions: (number | null)[] = [];
  const aheads: (number | null)[] = [];
  const metas: (string | null)[] = [];
  const events: string[] = [];
  // The batch's streams as it names them, in the order in which they come first.
  const streamNames: string[] = [];
  const expected: (number | null)[] = [];
  const totals: number[] = [];
  const lasts: number[] = [];
  const indexOf = new Map<string, number>();
  for (const [stream, expect] of batch.expected) {
    indexOf.set(stream, streamNames.length);
    streamNames.push(stream);
    expected.push(expect);
    totals.push(0);
    lasts.push(0);
  }
  let offset = 0;
  for (const { rows, meta } of batch.units) {
    const unit = offset;
    for (const { stream, expect, count, events: json } of rows) {
      const index = indexOf.get(stream) as number;
      const ahead = totals[index] as number;
      offsets.push(offset);
      counts.push(count);
      units.push(unit);
      streams.push(stream);
      versions.push(expect === null ? null : expect + 1);
      aheads.push(expect === null ? ahead : null);
      metas.push(offset === unit ? meta : null);
      events.push(json);
      totals[index] = ahead + count;
      lasts[index] = offset;
      offset += count;
    }
  }
  const id = randomUUID();
  return {
    id,
    values: [
      id,
      offset,
      digestOf(batch.units),
      int4Array(offsets),
      int4Array(counts),
      int4Array(units),
      textArray(streams),
      int8Array(versions),
      int4Array(aheads),
      textArray(metas),
      textArray(events),
      textArray(streamNames),
      int8Array(expected),
      int4Array(totals),
      int4Array(lasts),
    ],
  };
}

const text = `select first_position::text as position, (extract(epoch from recorded) * 1000)::text as recorded,
  systems, stale
from eventstore.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`;

interface AppendRow {
  position: string | null;
  recorded: string | null;
  systems: Record<string, number> | null;
  stale: { stream: StreamId; version: number }[] | null;
}

/** One call, in autocommit: when it returns, the batch is durable or nothing of it is. */
export async function appendBatch(client: pg.ClientBase, batch: EncodedBatch): Promise<CommitAnswer> {
  const result = await client.query<AppendRow>({ name: 'eventstore.append', text, values: [...batch.values] });
  const row = result.rows[0];
  if (row === undefined) throw new Error('eventstore.append answered with no row');
  if (row.stale !== null) {
    return { outcome: 'stale', heads: new Map(row.stale.map(({ stream, version }) => [stream, version])) };
  }
  return {
    outcome: 'committed',
    position: Number(row.position),
    recordedAt: new Date(Number(row.recorded)),
    systemVersions: new Map(Object.entries(row.systems ?? {})),
  };
}
