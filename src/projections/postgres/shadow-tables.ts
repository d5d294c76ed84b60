import type pg from 'pg';
import type { ChangeSet } from '../change-set.ts';
import type { Table } from '../table.ts';
import type { Projection } from '../projection.ts';
import { createIndexes, createTable, giveTo, tableName } from './tables.ts';
import { writeChanges } from './writer.ts';

/** Numbers under which tables of the projection exist. */
export async function tableVersions(client: pg.Pool | pg.ClientBase, projection: Projection): Promise<number[]> {
  const { rows } = await client.query<{ version: number }>(
    `select distinct substring(c.relname from '[0-9]+$')::int as version
     from pg_class c where c.relnamespace = 'projections'::regnamespace and c.relkind = 'r'
       and c.relname ~ $1 order by 1`,
    [`^(${projection.tables.map(({ name }) => name).join('|')})_v[0-9]+$`],
  );
  return rows.map(({ version }) => version);
}

export async function dropTables(client: pg.ClientBase, projection: Projection, tableVersion: number): Promise<void> {
  for (const table of projection.tables) await client.query(`drop table if exists ${tableName(table, tableVersion)}`);
}

/** Empty tables under a new number, without the indexes that only readers need. */
export async function createTables(client: pg.ClientBase, projection: Projection, tableVersion: number): Promise<void> {
  for (const table of projection.tables) {
    const name = tableName(table, tableVersion);
    // One statement: nobody sees it while it is the wrong one's.
    await client.query(`${createTable(table, name)}; ${giveTo(projection, 'table', name)}`);
  }
}

/** What readers and the planner need of tables that were filled in bulk. */
export async function finishTables(client: pg.ClientBase, projection: Projection, tableVersion: number): Promise<void> {
  for (const table of projection.tables) {
    const name = tableName(table, tableVersion);
    for (const index of createIndexes(table, name)) await client.query(index);
    await client.query(`analyze ${name}`);
  }
}

/** Writes a change set to the tables that `nameOf` says, in a transaction that need not wait for the disk. */
export async function writeRows(
  client: pg.ClientBase,
  projection: Projection,
  nameOf: (table: Table) => string,
  changes: ChangeSet,
): Promise<void> {
  await client.query('begin; set local synchronous_commit = off');
  for (const table of projection.tables) await writeChanges(client, table, nameOf(table), changes);
  await client.query('commit');
}

export async function countRows(client: pg.ClientBase, projection: Projection, tableVersion: number): Promise<number> {
  let rows = 0;
  for (const table of projection.tables) {
    const { rows: counted } = await client.query<{ count: string }>(
      `select count(*) from ${tableName(table, tableVersion)}`,
    );
    rows += Number(counted[0]?.count ?? 0);
  }
  return rows;
}
