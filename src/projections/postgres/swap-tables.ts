import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Position } from '../../../eventstore/index.ts';
import type { FreshFold } from '../fresh-fold.ts';
import type { Projection } from '../projection.ts';
import { lockCheckpoint } from './checkpoints.ts';
import { withConnection } from './sessions.ts';
import { dropTables, tableVersions } from './shadow-tables.ts';
import { replaceViews, tableName } from './tables.ts';

/** Somebody else rebuilds the projection, or readers did not let go of its view. Try again. */
export class RebuildBlockedError extends Error {
  override readonly name = 'RebuildBlockedError';
  readonly code = 'RebuildBlocked';
}

/** Folds the new tables up to a position. */
export type Advance = (to: Position) => Promise<void>;

const swapAttemptsMax = 100;

interface Swap {
  readonly guard: pg.PoolClient;
  readonly projection: Projection;
  readonly tableVersion: number;
  readonly fold: FreshFold;
  readonly advance: Advance;
  readonly signal: AbortSignal | undefined;
}

/**
 * Points the views at the new tables and moves the checkpoint with them, in one transaction. A reader in a long
 * transaction holds its view: rather than make everybody queue behind us, give up soon and come again.
 */
export async function swapTables({ guard, projection, tableVersion, fold, advance, signal }: Swap): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    await advance(Number.MAX_SAFE_INTEGER);
    try {
      await guard.query(
        `begin; set local lock_timeout = '300ms'; set local idle_in_transaction_session_timeout = '30s'`,
      );
      const live = await lockCheckpoint(guard, projection.name);
      if (live === undefined) throw new Error(`projection ${projection.name} has no checkpoint`);
      // From here on the live tables stand still.
      await advance(live.position);
      await replaceViews(guard, projection, tableVersion);
      await guard.query(
        `update projections.checkpoints
         set code_version = $2, table_version = $3, position = $4, updated_at = clock_timestamp(),
           error = null, error_position = null
         where projection = $1`,
        [projection.name, projection.version, tableVersion, fold.position],
      );
      await guard.query('commit');
      return;
    } catch (error) {
      await guard.query('rollback').catch(() => undefined);
      if (!isLockTimeout(error)) throw error;
      if (attempt === swapAttemptsMax) {
        throw new RebuildBlockedError(`readers did not let go of the view of ${projection.name}`, { cause: error });
      }
      await sleep(Math.min(attempt * 50, 1_000));
    }
  }
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '55P03';
}

/** Drops the tables of a projection that no view shows any more. Returns the names of what was dropped. */
export async function dropOldTables(pool: pg.Pool, projection: Projection): Promise<string[]> {
  return withConnection(pool, async (client) => {
    await client.query('begin');
    const { rows } = await client.query<{ locked: boolean }>(
      `select pg_try_advisory_xact_lock(hashtext('projections.rebuild'), hashtext($1)) as locked`,
      [projection.name],
    );
    if (rows[0]?.locked !== true) throw new RebuildBlockedError(`projection ${projection.name} is being rebuilt`);
    const live = await lockCheckpoint(client, projection.name);
    const dropped: string[] = [];
    for (const version of await tableVersions(client, projection)) {
      if (live === undefined || version === live.tableVersion) continue;
      await dropTables(client, projection, version);
      dropped.push(...projection.tables.map((table) => tableName(table, version)));
    }
    await client.query('commit');
    return dropped;
  });
}
