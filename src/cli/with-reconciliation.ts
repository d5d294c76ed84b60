import pg from 'pg';
import { PostgresLog } from '../../eventstore/index.ts';
import type { KoraConfig } from '../platform/config.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { EMBEDDED } from '../reconciling.ts';
import { configured, type Shell } from './shell.ts';
import { withStore } from './with-store.ts';

interface There {
  readonly pool: pg.Pool;
  readonly log: PostgresLog;
  readonly config: KoraConfig;
}

/** Looks into reconciliation's own database, beside whoever reconciles, and leaves it again. */
export async function withReconciliation<Result>(
  shell: Shell,
  flags: object,
  look: (there: There) => Promise<Result>,
): Promise<Result> {
  const { config } = configured(shell, { ...flags });
  const { reconciliationDatabaseUrl: connectionString } = config;
  if (connectionString === undefined)
    throw new CommandError('KORA_RECONCILIATION_DATABASE_URL is not set: nothing is reconciled', exitCodes.usage.code);
  const always = { connectionTimeoutMillis: 10_000, application_name: 'kora-tool' };
  if (connectionString === 'embedded')
    return withStore(shell, flags, (store) =>
      lookInto({ ...store.database, database: EMBEDDED, ...always }, config, look),
    );
  return lookInto({ connectionString, ...always }, config, look);
}

async function lookInto<Result>(
  database: pg.PoolConfig,
  config: KoraConfig,
  look: (there: There) => Promise<Result>,
): Promise<Result> {
  const pool = new pg.Pool({ ...database, max: 2 });
  const log = new PostgresLog({ config: database });
  try {
    return await look({ pool, log, config });
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '42P01')
      throw new CommandError('there are no cases yet: the next kora that reconciles makes their tables');
    throw error;
  } finally {
    await log.close();
    await pool.end();
  }
}
