import type pg from 'pg';
import type { Table } from '../table.ts';

/** How two tables of the same definition differ. */
export interface TableDifferences {
  readonly table: string;
  readonly onlyLive: number;
  readonly onlyFresh: number;
  readonly differing: number;
  /** At most 20 rows, by key. Values are as Postgres writes them. */
  readonly examples: readonly RowDifference[];
}

export interface RowDifference {
  readonly key: readonly string[];
  /** Undefined where the row is not there. */
  readonly live: RowText | undefined;
  readonly fresh: RowText | undefined;
}
type RowText = Readonly<Record<string, string | null>>;

const examplesMax = 20;

export function differenceCount({ onlyLive, onlyFresh, differing }: TableDifferences): number {
  return onlyLive + onlyFresh + differing;
}

/** Compares row by row, in the client's transaction. Columns that one of the tables lacks are left out. */
export async function compareTables(
  client: pg.ClientBase,
  table: Table,
  live: string,
  fresh: string,
): Promise<TableDifferences> {
  const columns = await sharedColumns(client, live, fresh);
  const key = table.key.map((column) => `"${column}"`);
  const isKey = new Set<string>(table.key);
  const values = columns.filter((column) => !isKey.has(column)).map((column) => `"${column}"`);
  const rowOf = (alias: string): string => `row(${values.map((column) => `${alias}.${column}`).join(', ')})`;
  const first = key[0] as string;
  const difference = `from ${live} l full join ${fresh} f on ${key.map((column) => `l.${column} = f.${column}`).join(' and ')}
    where l.${first} is null or f.${first} is null or ${rowOf('l')} is distinct from ${rowOf('f')}`;
  const { rows: counts } = await client.query<{ only_live: string; only_fresh: string; total: string }>(
    `select count(*) filter (where f.${first} is null) as only_live,
       count(*) filter (where l.${first} is null) as only_fresh, count(*) as total ${difference}`,
  );
  const { only_live = '0', only_fresh = '0', total = '0' } = counts[0] ?? {};
  const [onlyLive, onlyFresh] = [Number(only_live), Number(only_fresh)];
  const differing = Number(total) - onlyLive - onlyFresh;
  const examples: RowDifference[] = [];
  if (Number(total) > 0) {
    // Through text, because amounts may have more digits than a JSON number keeps.
    const textOf = (alias: string): string =>
      `case when ${alias}.${first} is not null then (select json_object_agg(c.key, c.value) from json_each_text(row_to_json(${alias})) c) end`;
    const { rows } = await client.query<{ key: string[]; live: RowText | null; fresh: RowText | null }>(
      `select array[${key.map((column) => `coalesce(l.${column}, f.${column})`).join(', ')}] as key,
         ${textOf('l')} as live, ${textOf('f')} as fresh ${difference} order by 1 limit ${examplesMax}`,
    );
    for (const row of rows) {
      examples.push({ key: row.key, live: row.live ?? undefined, fresh: row.fresh ?? undefined });
    }
  }
  return { table: table.name, onlyLive, onlyFresh, differing, examples };
}

async function sharedColumns(client: pg.ClientBase, one: string, other: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select a.attname as name
     from pg_attribute a join pg_attribute b on b.attname = a.attname and b.atttypid = a.atttypid
     where a.attrelid = $1::regclass and b.attrelid = $2::regclass
       and a.attnum > 0 and not a.attisdropped and not b.attisdropped
     order by a.attnum`,
    [one, other],
  );
  return rows.map(({ name }) => name);
}
