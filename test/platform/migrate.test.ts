import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate, type MigrationSet } from '../../src/platform/postgres/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/** Proves that a database gets every migration once and in order, and that a build refuses a schema that is not its own. */
let database: TestDatabase;
let client: pg.Client;
let folder: string;
let shop: MigrationSet[];

beforeEach(async () => {
  database = await createTestDatabase();
  client = new pg.Client(database.poolConfig);
  await client.connect();
  // As if nothing had been migrated: the sets here are not the product's.
  await client.query('DROP SCHEMA kora_meta CASCADE');
  folder = await mkdtemp(join(tmpdir(), 'kora-test-migrations-'));
  shop = [{ module: 'shop', folder: pathToFileURL(folder) }];
  await write('0001_goods.sql', 'CREATE TABLE goods (name text); CREATE TABLE orders (id integer);');
  await write(
    '0002_stock.sql',
    `CREATE FUNCTION stock() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1; /* ; */ END $$;
     ALTER TABLE goods ADD COLUMN stock integer NOT NULL DEFAULT stock();`,
  );
});

afterEach(async () => {
  await client.end();
  await database.drop();
  await rm(folder, { recursive: true });
});

function write(name: string, sql: string): Promise<void> {
  return writeFile(join(folder, name), sql);
}

async function applied(): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>('SELECT name FROM kora_meta.migrations ORDER BY number');
  return rows.map(({ name }) => name);
}

test('a fresh database gets all of them in order, and later only what is new', async () => {
  expect((await migrate(client, shop)).map(({ name }) => name)).toEqual(['0001_goods', '0002_stock']);
  expect(await migrate(client, shop)).toEqual([]);
  await write('0003_prices.sql', 'ALTER TABLE goods ADD COLUMN price bigint');
  expect(await migrate(client, shop)).toEqual([{ module: 'shop', number: 3, name: '0003_prices' }]);
  await client.query("INSERT INTO goods (name, price) VALUES ('rice', 5)");
  expect((await client.query('SELECT * FROM goods')).rows).toEqual([{ name: 'rice', stock: 1, price: '5' }]);
});

test('sets have numbers of their own, and run in the order given', async () => {
  const ledger = await mkdtemp(join(tmpdir(), 'kora-test-migrations-'));
  await writeFile(join(ledger, '0001_entries.sql'), 'CREATE VIEW entries AS SELECT * FROM orders');
  const sets = [...shop, { module: 'ledger', folder: pathToFileURL(`${ledger}/`) }];
  expect((await migrate(client, sets)).map(({ module, name }) => `${module}/${name}`)).toEqual([
    'shop/0001_goods',
    'shop/0002_stock',
    'ledger/0001_entries',
  ]);
  await rm(ledger, { recursive: true });
});

test('processes that migrate at once apply each file once', async () => {
  await write('0003_slow.sql', 'SELECT pg_sleep(0.5); ALTER TABLE goods ADD COLUMN price bigint;');
  const script = fileURLToPath(new URL('fixtures/migrator.ts', import.meta.url));
  const runs = await Promise.all(
    [1, 2, 3].map(() => promisify(execFile)(process.execPath, [script, database.connectionString, folder])),
  );
  const lists = runs.map(({ stdout }) => JSON.parse(stdout) as string[]);
  expect(lists.sort((a, b) => b.length - a.length)).toEqual([['0001_goods', '0002_stock', '0003_slow'], [], []]);
});

test('a database of a newer build is refused, and nothing is run', async () => {
  await write('0003_prices.sql', 'ALTER TABLE goods ADD COLUMN price bigint');
  await migrate(client, shop);
  await rm(join(folder, '0003_prices.sql'));
  const refused = migrate(client, shop);
  await expect(refused).rejects.toMatchObject({ code: 'SchemaTooNew' });
  await expect(refused).rejects.toThrow(/shop\/0003_prices.*newer kora/);
  await expect(migrate(client, [])).rejects.toMatchObject({ code: 'SchemaTooNew' });
});

test('a file that was changed after it was applied is refused', async () => {
  await migrate(client, shop);
  await write('0001_goods.sql', 'CREATE TABLE goods (name text, price bigint)');
  await write('0003_prices.sql', 'ALTER TABLE goods ADD COLUMN price bigint');
  await expect(migrate(client, shop)).rejects.toThrow(/shop\/0001_goods was changed/);
  expect(await applied()).toEqual(['0001_goods', '0002_stock']);
});

test('a file that fails leaves nothing of itself, and keeps what came before', async () => {
  await write('0003_wrong.sql', 'CREATE TABLE half (id integer); SELECT nonsense;');
  const refused = migrate(client, shop);
  await expect(refused).rejects.toMatchObject({ code: 'Migration', cause: { code: '42703' } });
  await expect(refused).rejects.toThrow(/shop\/0003_wrong failed: column "nonsense" does not exist/);
  expect(await applied()).toEqual(['0001_goods', '0002_stock']);
  expect((await client.query("SELECT to_regclass('half') AS half")).rows).toEqual([{ half: null }]);
  await write('0003_wrong.sql', 'SELECT 1');
  expect(await migrate(client, shop)).toHaveLength(1);
});

test('a file that ends its transaction is refused', async () => {
  await write('0003_sly.sql', 'COMMIT; BEGIN;');
  await expect(migrate(client, shop)).rejects.toThrow(/must not begin or end transactions/);
  expect(await applied()).toEqual(['0001_goods', '0002_stock']);
});

test.each([
  ['a gap', '0002_stock.sql', '0003_stock.sql'],
  ['a number twice', '0002_stock.sql', '0001_stock.sql'],
  ['a name of another form', '0002_stock.sql', '2-stock.sql'],
])('%s in the numbers is refused before anything runs', async (_, from, to) => {
  await rename(join(folder, from), join(folder, to));
  await expect(migrate(client, shop)).rejects.toMatchObject({ code: 'Migration' });
  expect((await client.query("SELECT to_regclass('goods') AS goods")).rows).toEqual([{ goods: null }]);
});

test('a client that migrated leaves no lock behind', async () => {
  await migrate(client, shop);
  await write('0003_wrong.sql', 'SELECT nonsense');
  await expect(migrate(client, shop)).rejects.toThrow();
  const { rows } = await client.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()");
  expect(rows).toEqual([]);
});
