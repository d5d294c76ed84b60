import { existsSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCluster, createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/** Proves that tests get migrated databases that do not see each other, and clusters of their own. */
let one: TestDatabase;
let other: TestDatabase;

beforeAll(async () => {
  [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
});

afterAll(async () => {
  await one.drop();
  await other.drop();
});

test('a test database is migrated', async () => {
  const client = new pg.Client(one.poolConfig);
  await client.connect();
  const { rows } = await client.query<{ module: string }>('SELECT DISTINCT module FROM kora_meta.migrations');
  expect(rows.map((row) => row.module)).toContain('eventstore');
  await client.end();
});

test('test databases do not see each other', async () => {
  const writer = new pg.Client({ connectionString: one.connectionString });
  await writer.connect();
  await writer.query('CREATE TABLE only_here (id integer)');
  const reader = new pg.Client({ connectionString: other.connectionString });
  await reader.connect();
  const { rows } = await reader.query("SELECT to_regclass('only_here') AS found");
  expect(rows).toEqual([{ found: null }]);
  await writer.end();
  await reader.end();
});

test('a test cluster has settings of its own, and is gone when it is stopped', async () => {
  const { cluster, dataDir, stop } = await createTestCluster({ work_mem: '7MB' });
  const client = new pg.Client(cluster.clientConfig);
  await client.connect();
  expect((await client.query('SHOW work_mem')).rows).toEqual([{ work_mem: '7MB' }]);
  await client.end();
  await stop();
  expect(existsSync(dataDir)).toBe(false);
});
