import type pg from 'pg';
import { openEmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.ts';

export interface PostgresOptions extends EmbeddedPostgresOptions {
  /** A PostgreSQL that somebody else runs. Then nothing is embedded, and `dataDir` and `role` mean nothing. */
  databaseUrl?: string | undefined;
}

export interface OpenPostgres {
  /** For every client and pool of the product. Pools reconnect by themselves when Postgres was restarted. */
  config: pg.PoolConfig;
  /** Leaves the embedded Postgres. Drain and end your pools first. */
  close(): Promise<void>;
}

/** The product's Postgres: the one that DATABASE_URL names, else the embedded one of the data folder. */
export async function openPostgres({ databaseUrl, ...options }: PostgresOptions): Promise<OpenPostgres> {
  if (databaseUrl !== undefined && databaseUrl !== '') {
    return { config: { connectionString: databaseUrl }, close: () => Promise.resolve() };
  }
  const embedded = await openEmbeddedPostgres(options);
  return { config: embedded.clientConfig, close: () => embedded.close() };
}
