import type pg from 'pg';
import type { EventLog, Position } from '../../eventstore/index.ts';
import { FreshFold } from './fresh-fold.ts';
import { lockCheckpoint, readCheckpoints, type Checkpoint } from './postgres/checkpoints.ts';
import { compareTables, type TableDifferences } from './postgres/compare.ts';
import {
  countRows,
  createTables,
  dropTables,
  finishTables,
  tableVersions,
  writeRows,
} from './postgres/shadow-tables.ts';
import { withSession } from './postgres/sessions.ts';
import { type Advance, RebuildBlockedError, swapTables } from './postgres/swap-tables.ts';
import { installProjections, tableName } from './postgres/tables.ts';
import type { Projection } from './projection.ts';

export interface RebuildOptions {
  readonly log: Pick<EventLog, 'readAll' | 'lastPosition'>;
  readonly pool: pg.Pool;
  readonly projection: Projection;
  /** Stops it; what people see stays as it was. */
  readonly signal?: AbortSignal;
  /** Told now and then while it folds. */
  readonly onProgress?: (progress: RebuildProgress) => void;
}

export interface RebuildProgress {
  readonly projection: string;
  readonly position: Position;
  /** End of the log when it began; the log goes on meanwhile. */
  readonly end: Position;
}

export interface RebuildReport {
  readonly projection: string;
  /** Events folded. */
  readonly events: number;
  readonly rows: number;
  /** Of the fold up to the comparison. */
  readonly eventsPerSecond: number;
  /** Where live and fresh were compared. */
  readonly comparedAt: Position;
  /** How the live tables differed from the fresh ones there; one for each table. */
  readonly differences: readonly TableDifferences[];
  /** Number of the tables that are live now. */
  readonly tableVersion: number;
}

/** Nearer than this to the live tables the last stretch is folded while they wait. */
const nearEvents = 5_000;
/** Live tables that outrun the fold are held for as long as it takes to reach them. */
const meetRoundsMax = 20;

/**
 * Folds a projection anew from position 0 into tables of the next number, while the live ones go on; compares the two at
 * the same position, and swaps the views. The old tables are kept: see `dropOldTables`.
 */
export async function rebuild(options: RebuildOptions): Promise<RebuildReport> {
  const { pool, projection } = options;
  await installProjections(pool, [projection]);
  // Three connections: the lock, which lives as long as this one; the writer; the comparison, in a snapshot of its own.
  return withSession(pool, async (guard) => {
    const { rows } = await guard.query<{ locked: boolean }>(
      `select pg_try_advisory_lock(hashtext('projections.rebuild'), hashtext($1)) as locked`,
      [projection.name],
    );
    if (rows[0]?.locked !== true)
      throw new RebuildBlockedError(`projection ${projection.name} is being rebuilt already`);
    return withSession(pool, (writer) => rebuildLocked(options, guard, writer));
  });
}

async function rebuildLocked(
  { log, pool, projection, signal, onProgress }: RebuildOptions,
  guard: pg.PoolClient,
  writer: pg.PoolClient,
): Promise<RebuildReport> {
  const live = await checkpointOf(pool, projection);
  const tableVersion = live.tableVersion + 1;
  // What an interrupted rebuild left behind.
  for (const version of await tableVersions(guard, projection)) {
    if (version > live.tableVersion) await dropTables(guard, projection, version);
  }
  await createTables(guard, projection, tableVersion);
  let swapped = false;
  try {
    const fold = new FreshFold(projection, (changes) =>
      writeRows(writer, projection, (table) => tableName(table, tableVersion), changes),
    );
    const end = await log.lastPosition();
    let nextReport = 0;
    const advance = (to: Position): Promise<void> =>
      fold.advance(log, to, signal, () => {
        if (fold.position < nextReport) return;
        nextReport = fold.position + 50_000;
        onProgress?.({ projection: projection.name, position: fold.position, end });
      });

    const began = performance.now();
    await meet(pool, projection, fold, advance);
    const eventsPerSecond = Math.round(fold.events / Math.max((performance.now() - began) / 1_000, 1e-3));
    const { comparedAt, differences } = await compareAtOnePosition(
      pool,
      guard,
      projection,
      tableVersion,
      fold,
      advance,
    );

    await advance(Number.MAX_SAFE_INTEGER);
    await finishTables(writer, projection, tableVersion);
    await swapTables({ guard, projection, tableVersion, fold, advance, signal });
    swapped = true;
    const rows = await countRows(guard, projection, tableVersion);
    onProgress?.({ projection: projection.name, position: fold.position, end: fold.position });
    return {
      projection: projection.name,
      events: fold.events,
      rows,
      eventsPerSecond,
      comparedAt,
      differences,
      tableVersion,
    };
  } finally {
    if (!swapped) await discard(guard, projection, tableVersion);
  }
}

async function checkpointOf(pool: pg.Pool, projection: Projection): Promise<Checkpoint> {
  const checkpoint = (await readCheckpoints(pool)).find((row) => row.projection === projection.name);
  if (checkpoint === undefined) throw new Error(`projection ${projection.name} has no checkpoint`);
  return checkpoint;
}

/** Folds until the live tables, which move on meanwhile, are near. They may also be behind the log, or not move at all. */
async function meet(pool: pg.Pool, projection: Projection, fold: FreshFold, advance: Advance): Promise<void> {
  for (let round = 0; round < meetRoundsMax; round++) {
    const { position } = await checkpointOf(pool, projection);
    const distance = position - fold.position;
    await advance(position);
    if (distance <= nearEvents) return;
  }
}

/** Holds the live tables for the moment in which the fresh ones reach them, takes a snapshot, lets go, and compares. */
async function compareAtOnePosition(
  pool: pg.Pool,
  guard: pg.PoolClient,
  projection: Projection,
  tableVersion: number,
  fold: FreshFold,
  advance: Advance,
): Promise<{ comparedAt: Position; differences: TableDifferences[] }> {
  return withSession(pool, async (reader) => {
    await guard.query(`begin; set local lock_timeout = '30s'; set local idle_in_transaction_session_timeout = '30s'`);
    const live = await lockCheckpoint(guard, projection.name);
    if (live === undefined) throw new Error(`projection ${projection.name} has no checkpoint`);
    await advance(live.position);
    await reader.query('begin isolation level repeatable read');
    // The first query takes the snapshot.
    const { rows } = await reader.query<{ position: string }>(
      'select position from projections.checkpoints where projection = $1',
      [projection.name],
    );
    await guard.query('commit');
    const comparedAt = Number(rows[0]?.position);
    if (comparedAt !== fold.position) {
      throw new RebuildBlockedError(`the tables of ${projection.name} moved while they were held: try again`);
    }
    const differences: TableDifferences[] = [];
    for (const table of projection.tables) {
      const [liveName, freshName] = [tableName(table, live.tableVersion), tableName(table, tableVersion)];
      differences.push(await compareTables(reader, table, liveName, freshName));
    }
    return { comparedAt, differences };
  });
}

/** The next rebuild would do it as well; this only gives the room back sooner. Under the lock, or not at all. */
async function discard(guard: pg.PoolClient, projection: Projection, tableVersion: number): Promise<void> {
  try {
    await guard.query(`rollback; set lock_timeout = '2s'`);
    await dropTables(guard, projection, tableVersion);
  } catch {
    // The connection, and the lock with it, is gone.
  }
}
