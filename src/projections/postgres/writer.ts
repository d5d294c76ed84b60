import pg from 'pg';
import { int8Array, textArray } from '../../../eventstore/postgres/binary-array.ts';
import type { ChangeSet, RowChange } from '../change-set.ts';
import type { Column, Table } from '../table.ts';
import { columnsOf } from './tables.ts';

/**
 * The one writer of rows: whatever a batch changes in a table goes in one statement, as arrays. Knows nothing of any
 * projection but its table definitions. Call it in the transaction that moves the checkpoint.
 */
export async function writeChanges(
  client: pg.ClientBase,
  table: Table,
  name: string,
  changes: ChangeSet,
): Promise<void> {
  const deleted: RowChange[] = [];
  const made: RowChange[] = [];
  const changed: RowChange[] = [];
  const { madeWith } = table;
  for (const row of changes.rows(table)) {
    if (row.deleted) deleted.push(row);
    if (row.set === undefined && row.add === undefined) continue;
    const mayBeNew = madeWith === undefined || row.set?.[madeWith] !== undefined;
    (mayBeNew ? made : changed).push(row);
  }
  const statements = statementsOf(table, name);
  if (deleted.length > 0) {
    const values = table.key.map((_, index) => textArray(deleted.map(({ key }) => key[index] as string)));
    await client.query({ ...statements.remove, values });
  }
  const valuesOf = (rows: readonly RowChange[]): Buffer[] =>
    columnsOf(table).map(([column, definition]) => encodeColumn(table, column, definition, rows));
  if (made.length > 0) await client.query({ ...statements.upsert, values: valuesOf(made) });
  if (changed.length > 0) await client.query({ ...statements.update, values: valuesOf(changed) });
}

function encodeColumn(table: Table, column: string, definition: Column, rows: readonly RowChange[]): Buffer {
  const keyIndex = table.key.indexOf(column);
  if (keyIndex >= 0) return textArray(rows.map(({ key }) => key[keyIndex] as string));
  if (definition.fold === 'add') return textArray(rows.map(({ add }) => add?.[column]?.toString() ?? '0'));
  if (isInteger(definition)) return int8Array(rows.map(({ set }) => (set?.[column] as number | undefined) ?? null));
  return textArray(
    rows.map(({ set }) => {
      const value = set?.[column];
      return value === undefined ? null : String(value);
    }),
  );
}

interface Statements {
  readonly upsert: { readonly name: string; readonly text: string };
  /** Of rows that are there; the others come to nothing. */
  readonly update: { readonly name: string; readonly text: string };
  readonly remove: { readonly name: string; readonly text: string };
}
const statements = new Map<string, Statements>();

function statementsOf(table: Table, name: string): Statements {
  let made = statements.get(name);
  if (made === undefined) statements.set(name, (made = makeStatements(table, name)));
  return made;
}

function makeStatements(table: Table, name: string): Statements {
  const columns = columnsOf(table);
  const names = columns.map(([column]) => `"${column}"`);
  const parameters = columns.map(([, column], index) => `$${index + 1}::${isInteger(column) ? 'bigint' : 'text'}[]`);
  const updatesFrom = (source: string): string =>
    columns
      .filter(([column]) => !table.key.includes(column))
      .map(([column, { type, fold }]) => {
        const value = `${source}."${column}"${source === 'u' ? `::${type}` : ''}`;
        return fold === 'add'
          ? `"${column}" = t."${column}" + ${value}`
          : `"${column}" = coalesce(${value}, t."${column}")`;
      })
      .join(', ');
  const unnested = `unnest(${parameters.join(', ')}) as u (${names.join(', ')})`;
  const key = table.key.map((column) => `"${column}"`).join(', ');
  const keyParameters = table.key.map((_, index) => `$${index + 1}::text[]`).join(', ');
  return {
    upsert: {
      name: `upsert ${name}`,
      text: `insert into ${name} as t (${names.join(', ')})
        select ${columns.map(([column, { type }]) => `u."${column}"::${type}`).join(', ')}
        from ${unnested}
        on conflict (${key}) do update set ${updatesFrom('excluded')}`,
    },
    update: {
      name: `update ${name}`,
      text: `update ${name} as t set ${updatesFrom('u')} from ${unnested}
        where ${table.key.map((column) => `t."${column}" = u."${column}"`).join(' and ')}`,
    },
    remove: {
      name: `delete ${name}`,
      text: `delete from ${name} where (${key}) in (select * from unnest(${keyParameters}))`,
    },
  };
}

/** Sums go as text whatever their type: they are bigints of any size. */
function isInteger({ type, fold }: Column): boolean {
  return fold !== 'add' && (type === 'bigint' || type === 'integer');
}

/** SQLSTATE classes that pass by themselves: connection, lost races, resources, operators, the system around Postgres. */
const passing = /^(08|40|53|55|57|58)/;

/** The database will refuse these rows again, however often they are sent. */
export function isFinal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && typeof error.code === 'string' && !passing.test(error.code);
}
