import type pg from 'pg';
import type { Position } from '../../../eventstore/index.ts';

export interface Checkpoint {
  readonly projection: string;
  readonly codeVersion: number;
  readonly tableVersion: number;
  readonly position: Position;
  readonly error: string | undefined;
  readonly errorPosition: Position | undefined;
}

interface CheckpointRow {
  projection: string;
  code_version: number;
  table_version: number;
  position: string;
  error: string | null;
  error_position: string | null;
}

const columns = 'c.projection, c.code_version, c.table_version, c.position, c.error, c.error_position';

function parse(row: CheckpointRow): Checkpoint {
  return {
    projection: row.projection,
    codeVersion: row.code_version,
    tableVersion: row.table_version,
    position: Number(row.position),
    error: row.error ?? undefined,
    errorPosition: row.error_position === null ? undefined : Number(row.error_position),
  };
}

export async function readCheckpoints(client: pg.Pool | pg.ClientBase): Promise<Checkpoint[]> {
  const { rows } = await client.query<CheckpointRow>(
    `select ${columns} from projections.checkpoints c order by projection`,
  );
  return rows.map(parse);
}

/** Locks the row: the projector that wants to move it waits. To be called in a transaction. */
export async function lockCheckpoint(client: pg.ClientBase, projection: string): Promise<Checkpoint | undefined> {
  const { rows } = await client.query<CheckpointRow>(
    `select ${columns} from projections.checkpoints c where projection = $1 for update`,
    [projection],
  );
  return rows[0] && parse(rows[0]);
}

export interface Move {
  readonly projection: string;
  readonly from: Position;
  readonly to: Position;
}

/**
 * The fence: moves checkpoints that are where they are believed to be. Returns those that it moved; if that is not all of
 * them, somebody else moved the others, and the transaction must be rolled back. The rows stay locked until its end, in
 * the order of names, so that two processes wait for each other and never dead-lock.
 */
export async function moveCheckpoints(client: pg.ClientBase, moves: readonly Move[]): Promise<Checkpoint[]> {
  const { rows } = await client.query<CheckpointRow>({
    name: 'projections.move-checkpoints',
    text: `with locked as (
        select projection, m.source, m.target
        from projections.checkpoints c
        join unnest($1::text[], $2::bigint[], $3::bigint[]) as m (projection, source, target) using (projection)
        order by projection for update of c
      )
      update projections.checkpoints c
      set position = l.target, updated_at = clock_timestamp(), error = null, error_position = null
      from locked l where c.projection = l.projection and c.position = l.source
      returning ${columns}`,
    values: [moves.map((move) => move.projection), moves.map((move) => move.from), moves.map((move) => move.to)],
  });
  return rows.map(parse);
}

/** Writes down why a projection stopped, for people; it is not moved. */
export async function recordPoison(
  pool: pg.Pool,
  projection: string,
  position: Position,
  at: Position,
  error: Error,
): Promise<void> {
  await pool.query(
    `update projections.checkpoints set error = $4, error_position = $3, updated_at = clock_timestamp()
     where projection = $1 and position = $2`,
    [projection, position, at, `${error.name}: ${error.message}`],
  );
}

/**
 * Has a projection that stopped tried again, by forgetting why: by the process that runs it within a second or two, else by
 * the next one that starts. It goes on from where it stands; if nothing has changed it stops there again.
 *
 * @returns where it goes on, and what it had stopped at; undefined when it had not stopped
 */
export async function retryProjection(
  pool: pg.Pool,
  projection: string,
): Promise<{ readonly position: Position; readonly errorPosition: Position | undefined } | undefined> {
  const { rows } = await pool.query<{ position: string; error_position: string | null }>(
    `update projections.checkpoints c set error = null, error_position = null, updated_at = clock_timestamp()
     from (select * from projections.checkpoints where projection = $1 for update) old
     where c.projection = old.projection and old.error is not null
     returning c.position, old.error_position`,
    [projection],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  return {
    position: Number(row.position),
    errorPosition: row.error_position === null ? undefined : Number(row.error_position),
  };
}
