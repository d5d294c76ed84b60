import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { prepareDatabase } from '../../src/modules.ts';
import { migrationSets } from '../../src/platform/migrations.ts';
import { migrate } from '../../src/platform/postgres/migrate.ts';
import { accountsProjection } from '../../src/projections/accounts.projection.ts';
import {
  installProjections,
  type Projection,
  projections,
  runProjector,
  verify,
  waitForPosition,
} from '../../src/projections/index.ts';
import { paymentsProjection } from '../../src/projections/payments.projection.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';

/**
 * Proves that a database of the build before owners, lists and payouts becomes what this build makes on a new one, without a
 * rebuild: the same columns, indexes and owners, the rows as they were, and the projector goes on.
 */
let old: TestDatabase;
let fresh: TestDatabase;
let pool: pg.Pool;
let freshPool: pg.Pool;

/** The projections as they were: no owner, no index for lists, and nothing of payouts and connectors. */
const since = ['payouts', 'connector_states', 'instructions'];
const known = projections.filter(({ name }) => !since.includes(name));
const before: Projection[] = known.map((projection) => {
  const was = (columns: readonly string[], version: number): Projection => ({
    ...projection,
    version,
    tables: projection.tables.map(({ indexes: _, ...table }) => ({
      ...table,
      columns: Object.fromEntries(Object.entries(table.columns).filter(([name]) => !columns.includes(name))),
    })),
  });
  if (projection === paymentsProjection) return was(['payout', 'beneficiary', 'rail'], 1);
  return projection === accountsProjection ? was(['owner'], 1) : projection;
});

beforeAll(async () => {
  [old, fresh] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  pool = new pg.Pool(old.poolConfig);
  freshPool = new pg.Pool(fresh.poolConfig);
  await installProjections(freshPool, projections);
});
afterAll(async () => {
  await Promise.all([pool.end(), freshPool.end()]);
  await Promise.all([old.drop(), fresh.drop()]);
});

async function migrateAsBefore(client: pg.ClientBase): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kora-before-'));
  try {
    const sets = migrationSets.filter(({ module }) => ['eventstore', 'projections'].includes(module));
    for (const set of sets) {
      const first = set.module === 'eventstore' ? '0001_log.sql' : '0001_projections.sql';
      await mkdir(join(folder, set.module));
      await cp(new URL(first, set.folder), join(folder, set.module, first));
    }
    await migrate(
      client,
      sets.map(({ module }) => ({ module, folder: pathToFileURL(join(folder, module, '/')) })),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function project(log: PostgresLog): Promise<void> {
  const errors: Error[] = [];
  const stop = new AbortController();
  const run = runProjector({
    log,
    pool,
    projections,
    signal: stop.signal,
    lingerMs: 1,
    onError: (error) => errors.push(error),
  });
  const reached = await waitForPosition(pool, await log.lastPosition(), 20_000);
  expect({ reached, errors }).toEqual({ reached: true, errors: [] });
  stop.abort();
  await run;
}

/** Columns, indexes and owners of what is in the schema, in an order of their own. */
async function shapeOf(of: pg.Pool): Promise<string[]> {
  const { rows } = await of.query<{ line: string }>(
    `select format('%s.%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) as line
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'projections'::regnamespace and c.relkind in ('r', 'v') and a.attnum > 0 and not a.attisdropped
     union all
     select format('%s owned by %s', c.relname, pg_get_userbyid(c.relowner)) from pg_class c
     where c.relnamespace = 'projections'::regnamespace and c.relkind in ('r', 'v')
     union all
     select regexp_replace(indexdef, '^CREATE( UNIQUE)? INDEX \\S+', 'index') from pg_indexes where schemaname = 'projections'
     order by 1`,
  );
  return rows.map(({ line }) => line);
}

it('a database of the build before is brought to this one, and goes on', async () => {
  const client = await pool.connect();
  await client.query(
    'drop schema eventstore, projections, identity, gateway, cluster, providers, webhooks, kora_meta cascade',
  );
  await migrateAsBefore(client);
  await installProjections(pool, before);
  const log = new PostgresLog({ config: old.poolConfig });
  const scribe = new Scribe(log);
  for (const id of ['ada', 'ben']) scribe.open(id);
  scribe.cashIn('ada', 1_000n);
  scribe.p2p('ada', 'ben', 10n);
  await scribe.written();
  // Rows of that time, and a checkpoint with them.
  const row = "(id, class, version, posted) values ('ghost', 'customer', 1, 7)";
  await client.query(`insert into projections.accounts_v1 ${row}`);

  await prepareDatabase(client);
  // As every start does: what is new is made, and folded from the beginning.
  await installProjections(pool, projections);
  expect(await shapeOf(pool)).toEqual(await shapeOf(freshPool));
  const ghost = await client.query("select id, posted, owner from projections.accounts where id = 'ghost'");
  expect(ghost.rows).toEqual([{ id: 'ghost', posted: '7', owner: null }]);
  await client.query("delete from projections.accounts_v1 where id = 'ghost'");

  client.release();

  scribe.open('cyd', { owner: 'user:cyd' });
  scribe.p2p('ada', 'ben', 20n);
  await scribe.written();
  await project(log);
  const { rows: accounts } = await pool.query(
    "select id, owner, posted from projections.accounts where class = 'customer' order by id",
  );
  expect(accounts).toEqual([
    { id: 'ada', owner: null, posted: '970' },
    { id: 'ben', owner: null, posted: '30' },
    { id: 'cyd', owner: 'user:cyd', posted: '0' },
  ]);
  // Every row is what a fresh fold makes of the log, owners included.
  expect((await verify({ pool, projections })).findings).toEqual([]);
  await log.close();
});
