import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { inject } from 'vitest';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import type { PostgresSettings } from '../../src/platform/postgres/settings.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the main process of the run answers which cluster to use; it starts the cluster at the first question. */
    testClusterSocket: string;
  }
}

/** Small and many: a test cluster shares two cores and their memory with others. */
export const testSettings: PostgresSettings = {
  shared_buffers: '64MB',
  max_wal_size: '1GB',
  max_connections: 200,
  min_wal_size: '80MB',
  wal_buffers: '4MB',
};

/** Followed by the number of the process that made it, so that a later run knows what a killed one left behind. */
export const testFolderPrefix = 'kora-test-';

export const templateDatabase = 'kora_template';

/** What the main process answers. */
export interface TestClusterAddress {
  host: string;
  port: number;
  user: string;
}

export interface TestDatabase {
  connectionString: string;
  poolConfig: pg.PoolConfig;
  /** Cuts off whoever is still connected. */
  drop: () => Promise<void>;
}

/** A migrated database of its own for a test file, cloned from the template in some 50 ms on a quiet machine. Call it in `beforeAll`, `drop` in `afterAll`. */
export const createTestDatabase = (): Promise<TestDatabase> => createDatabaseFrom(templateDatabase);

/** One without anything in it, for what has a schema of its own. */
export const createEmptyDatabase = (): Promise<TestDatabase> => createDatabaseFrom('template0');

async function createDatabaseFrom(template: string): Promise<TestDatabase> {
  const address = await askForCluster(inject('testClusterSocket'));
  const database = `test_${randomBytes(8).toString('hex')}`;
  await execute(address, `CREATE DATABASE ${database} TEMPLATE ${template}`);
  return {
    connectionString: `postgresql://${address.user}@${encodeURIComponent(address.host)}:${address.port}/${database}`,
    poolConfig: { ...address, database, ssl: false },
    drop: async () => {
      await gone(address, database);
      await execute(address, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    },
  };
}

/**
 * A cluster of its own, empty and not migrated, for tests that stop servers or read cluster-wide transaction state. It takes
 * about two seconds. `stop` also deletes it.
 */
export async function createTestCluster(
  settings: PostgresSettings = {},
): Promise<{ cluster: EmbeddedPostgres; dataDir: string; stop: () => Promise<void> }> {
  const { dataDir, remove } = await createDataFolder();
  const cluster = await openEmbeddedPostgres({ dataDir, role: 'tool', settings: { ...testSettings, ...settings } });
  return {
    cluster,
    dataDir,
    async stop() {
      await cluster.close();
      await remove();
    },
  };
}

/** A path for a data folder that does not exist yet, below a temporary folder that every user may enter. */
export async function createDataFolder(): Promise<{ dataDir: string; remove: () => Promise<void> }> {
  const base = await mkdtemp(join(tmpdir(), `${testFolderPrefix}${process.pid}-`));
  await chmod(base, 0o755);
  return { dataDir: join(base, 'data'), remove: () => rm(base, { recursive: true, force: true }) };
}

async function askForCluster(socket: string): Promise<TestClusterAddress> {
  const answer = JSON.parse(await text(connect(socket))) as TestClusterAddress | { error: string };
  if ('error' in answer) throw new Error(`the test cluster did not start: ${answer.error}`);
  return answer;
}

/**
 * Gives connections that were ended the time to be gone, half a second at most: `pg` says that a pool has ended when the
 * goodbyes are on their way, and cutting one off that has not arrived is an error of a pool that nobody listens to any more.
 */
async function gone(address: TestClusterAddress, database: string): Promise<void> {
  await execute(
    address,
    `DO $$ BEGIN
      FOR attempt IN 1..50 LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '${database}');
        PERFORM pg_sleep(0.01);
      END LOOP;
    END $$`,
  );
}

async function execute(address: TestClusterAddress, sql: string): Promise<void> {
  const client = new pg.Client({ ...address, database: 'postgres', ssl: false });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
