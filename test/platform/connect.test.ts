import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { openPostgres } from '../../src/platform/postgres/connect.ts';
import { createDataFolder, createTestDatabase, testSettings } from '../support/postgres.ts';

/** Proves that DATABASE_URL decides between a given and an embedded Postgres. */
test('with a database URL nothing is embedded', async () => {
  const { dataDir } = await dataFolder();
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const options = { databaseUrl: database.connectionString, dataDir, role: 'instance' } as const;
  const postgres = await openPostgres(options);
  // The lock on a data folder means nothing here.
  const beside = await openPostgres(options);
  expect(await nameOfDatabase(postgres.config)).toBe(database.poolConfig.database);
  await Promise.all([postgres.close(), beside.close()]);
  expect(existsSync(dataDir)).toBe(false);
});

test.each([undefined, ''])('with the database URL %o Postgres is embedded until it is closed', async (databaseUrl) => {
  const { dataDir } = await dataFolder();
  const postgres = await openPostgres({ databaseUrl, dataDir, role: 'instance', settings: testSettings });
  expect(await nameOfDatabase(postgres.config)).toBe('kora');
  const running = join(dataDir, 'postgres', 'postmaster.pid');
  expect(existsSync(running)).toBe(true);
  await postgres.close();
  await postgres.close();
  expect(existsSync(running)).toBe(false);
});

async function dataFolder(): Promise<{ dataDir: string }> {
  const { dataDir, remove } = await createDataFolder();
  onTestFinished(remove);
  return { dataDir };
}

async function nameOfDatabase(config: pg.PoolConfig): Promise<unknown> {
  const pool = new pg.Pool(config);
  const { rows } = await pool.query<{ name: string }>('SELECT current_database() AS name');
  await pool.end();
  return rows[0]?.name;
}
