import type pg from 'pg';
import type { EventLog, Position, StreamId } from '../event-log.ts';

/** How far the mirror of a log that is kept elsewhere is. */
export interface MirrorState {
  /** All units up to here are in `eventstore.log`, and none after it. */
  readonly position: Position;
}

/** The database holds another log than the one that it is to be used with. Nothing was written. */
export class OtherLogError extends Error {
  override readonly name = 'OtherLogError';
  readonly code = 'OtherLog';
}

/** Undefined: the log is kept in this database, or nothing is yet. */
export async function readMirror(client: pg.Pool | pg.ClientBase): Promise<MirrorState | undefined> {
  const { rows } = await client.query<{ position: string }>('select position from eventstore.mirror');
  return rows[0] && { position: Number(rows[0].position) };
}

/**
 * Says once that this database mirrors a log that is kept elsewhere; from then on no log can be kept in it.
 *
 * @param pool of the role that owns the log's tables
 * @throws OtherLogError where the database has a log of its own
 */
export async function claimForMirror(pool: pg.Pool): Promise<void> {
  if ((await readMirror(pool)) !== undefined) return;
  const { rows } = await pool.query('select from eventstore.commits limit 1');
  if (rows.length > 0) throw new OtherLogError('the log of this database is kept in it, and cannot move elsewhere');
  // Positions elsewhere may be bytes: one partition takes what is beyond the first one, however far that is.
  await pool.query(`do $$ begin
    perform pg_advisory_xact_lock(hashtext('eventstore.partition'));
    if to_regclass('eventstore.log_mirror') is null then
      create table eventstore.log_mirror partition of eventstore.log for values from (100000001) to (maxvalue);
    end if;
    insert into eventstore.mirror default values on conflict do nothing;
  end $$`);
}

/**
 * Holds the first and the last row of the mirror against the log.
 *
 * @throws OtherLogError where they are not in it: the server is another one, or lost what it had
 */
export async function checkMirrorOf(log: Pick<EventLog, 'readStream'>, pool: pg.Pool): Promise<void> {
  for (const direction of ['asc', 'desc'] as const) {
    const { rows } = await pool.query<{ position: string; stream: StreamId; version: string }>(
      `select position, stream, version from eventstore.log order by position ${direction} limit 1`,
    );
    const [row] = rows;
    if (row === undefined) return;
    if ((await positionOf(log, row.stream, Number(row.version))) === Number(row.position)) continue;
    throw new OtherLogError(
      `this database was filled from a log that has ${row.stream} at position ${row.position}, and this one has not`,
    );
  }
}

async function positionOf(
  log: Pick<EventLog, 'readStream'>,
  stream: StreamId,
  version: number,
): Promise<Position | undefined> {
  for await (const row of log.readStream(stream, version - 1)) return row.position;
  return undefined;
}
