import type pg from 'pg';
import type { Position, RecordedUnit, StreamId } from '../event-log.ts';
import { int4Array, int8Array, textArray } from '../postgres/binary-array.ts';

/** What is written can be copied again, so it need not wait for the disk; a process that stops keeps nobody waiting. */
const begin = `begin; set local synchronous_commit = off; set local lock_timeout = '10s';
  set local idle_in_transaction_session_timeout = '10s'`;

/**
 * Writes whole units that follow each other in the log, and moves the mirror's position with them, in one transaction.
 *
 * @param from where the mirror is believed to be
 * @returns `fenced` when it is not there: then nothing was written
 */
export async function writeUnits(
  client: pg.ClientBase,
  units: readonly RecordedUnit[],
  from: Position,
): Promise<'written' | 'fenced'> {
  const to = units.at(-1)?.lastPosition ?? from;
  await client.query(begin);
  try {
    const { rowCount } = await client.query({
      name: 'eventstore.move-mirror',
      text: 'update eventstore.mirror set position = $2, updated_at = clock_timestamp() where position = $1',
      values: [from, to],
    });
    if (rowCount !== 1) {
      await client.query('rollback');
      return 'fenced';
    }
    await writeRows(client, units);
    await writeHeads(client, units);
    await client.query('commit');
    return 'written';
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function writeRows(client: pg.ClientBase, units: readonly RecordedUnit[]): Promise<void> {
  const rows = units.flatMap((unit) => unit.rows.map((row, index) => ({ row, unit, isFirst: index === 0 })));
  await client.query({
    name: 'eventstore.mirror-rows',
    text: `insert into eventstore.log (position, count, unit, stream, version, recorded_at, meta, events)
      select r.p, r.c, r.u, r.s, r.v, to_timestamp(r.at / 1000.0), r.m::json, r.e::json
      from unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[])
        as r (p, c, u, s, v, at, m, e)`,
    values: [
      int8Array(rows.map(({ row }) => row.position)),
      int4Array(rows.map(({ row }) => row.events.length)),
      int8Array(rows.map(({ unit }) => unit.position)),
      textArray(rows.map(({ row }) => row.stream)),
      int8Array(rows.map(({ row }) => row.version)),
      int8Array(rows.map(({ unit, isFirst }) => (isFirst ? unit.recordedAt.getTime() : null))),
      textArray(rows.map(({ unit, isFirst }) => (isFirst ? metaOf(unit) : null))),
      textArray(rows.map(({ row }) => JSON.stringify(row.events))),
    ],
  });
}

/** As a row of the log has it, and where the unit ends: positions have gaps here. */
export function metaOf({ id, rows, lastPosition, meta }: RecordedUnit): string {
  const count = rows.reduce((sum, { events }) => sum + events.length, 0);
  return JSON.stringify({ unit: id, count, last: lastPosition, ...meta });
}

async function writeHeads(client: pg.ClientBase, units: readonly RecordedUnit[]): Promise<void> {
  const heads = new Map<StreamId, { readonly version: number; readonly position: Position }>();
  for (const { stream, version, position, events } of units.flatMap(({ rows }) => rows))
    heads.set(stream, { version: version + events.length - 1, position });
  await client.query({
    name: 'eventstore.mirror-heads',
    text: `insert into eventstore.heads as h (stream, version, position)
      select * from unnest($1::text[], $2::bigint[], $3::bigint[])
      on conflict (stream) do update set version = excluded.version, position = excluded.position`,
    values: [
      textArray([...heads.keys()]),
      int8Array([...heads.values()].map(({ version }) => version)),
      int8Array([...heads.values()].map(({ position }) => position)),
    ],
  });
}
