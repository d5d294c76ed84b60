import type pg from 'pg';
import type { Column, Table } from '../table.ts';
import type { Projection } from '../projection.ts';
import { withConnection } from './sessions.ts';

/** Names come from our own definitions, never from outside; quoting keeps reserved words usable. */
const quoted = (name: string): string => `"${name}"`;

/** The table of a projection under a number: `projections.payments_v1`. */
export function tableName(table: Table, tableVersion: number): string {
  return `projections.${quoted(`${table.name}_v${tableVersion}`)}`;
}

/** What people query: `projections.payments`. */
export function viewName(table: Table): string {
  return `projections.${quoted(table.name)}`;
}

export function columnsOf(table: Table): [string, Column][] {
  return Object.entries(table.columns);
}

/** SQL that makes a table. No column but the key is required: a batch may know only a part of a row that is there. */
export function createTable(table: Table, name: string, kind: 'table' | 'temporary table' = 'table'): string {
  const columns = columnsOf(table).map(([column, { type, fold }]) => {
    const required = table.key.includes(column) ? ' not null' : fold === 'add' ? ' not null default 0' : '';
    return `${quoted(column)} ${type}${required}`;
  });
  const storage = table.fillfactor === undefined ? '' : ` with (fillfactor = ${table.fillfactor})`;
  const key = table.key.map(quoted).join(', ');
  return `create ${kind} ${name} (${columns.join(', ')}, primary key (${key}))${storage}`;
}

/** Indexes beside the key, made after a bulk load. */
export function createIndexes({ indexes = [], uniques = [] }: Table, name: string): string[] {
  return [
    ...indexes.map((index) => `create index on ${name} ${index}`),
    ...uniques.map((index) => `create unique index on ${name} ${index}`),
  ];
}

function createView(table: Table, tableVersion: number): string {
  const computed = { ...table.computed };
  const columns = columnsOf(table)
    .filter(([, { hidden }]) => hidden !== true)
    .map(([column]) => {
      const expression = computed[column] ?? quoted(column);
      Reflect.deleteProperty(computed, column);
      return `${expression} as ${quoted(column)}`;
    });
  for (const [column, expression] of Object.entries(computed)) columns.push(`${expression} as ${quoted(column)}`);
  return `create view ${viewName(table)} as select ${columns.join(', ')} from ${tableName(table, tableVersion)}`;
}

/** SQL that gives a table or a view of a projection to the module whose it is. */
export function giveTo({ module }: Projection, kind: 'table' | 'view', name: string): string {
  return `alter ${kind} ${name} owner to kora_${module}`;
}

/** Points the views of a projection at its tables of this number. Columns may have changed, so the view is made anew. */
export async function replaceViews(client: pg.ClientBase, projection: Projection, tableVersion: number): Promise<void> {
  for (const table of projection.tables) {
    await client.query(`drop view if exists ${viewName(table)}`);
    await client.query(createView(table, tableVersion));
    await client.query(giveTo(projection, 'view', viewName(table)));
  }
}

/**
 * Makes the tables, views and checkpoint rows that are not there yet. Projections that are there stay as they are, also
 * when the code has another version by now: their rows need a rebuild, which is somebody's decision.
 */
export async function installProjections(pool: pg.Pool, projections: readonly Projection[]): Promise<void> {
  await withConnection(pool, async (client) => {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('projections.install'))`);
    const { rows } = await client.query<{ projection: string }>('select projection from projections.checkpoints');
    for (const projection of projections) {
      if (!rows.some((row) => row.projection === projection.name)) await install(client, projection);
    }
    await client.query('commit');
  });
}

async function install(client: pg.ClientBase, projection: Projection): Promise<void> {
  for (const table of projection.tables) {
    await client.query(createTable(table, tableName(table, 1)));
    await client.query(giveTo(projection, 'table', tableName(table, 1)));
    for (const index of createIndexes(table, tableName(table, 1))) await client.query(index);
  }
  await replaceViews(client, projection, 1);
  await client.query(
    'insert into projections.checkpoints (projection, code_version, table_version, position) values ($1, $2, 1, 0)',
    [projection.name, projection.version],
  );
}
