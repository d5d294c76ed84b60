import type { ChangeSet, SetValue } from '../change-set.ts';
import type { Table } from '../table.ts';
import type { Projection } from '../projection.ts';

export type MemoryRow = Readonly<Record<string, SetValue | bigint>>;

/** The tables of projections in memory: what the Postgres writer does, for tests and the simulation. */
export class MemoryTables {
  readonly #tables = new Map<string, Map<string, Record<string, SetValue | bigint>>>();

  write({ tables }: Projection, changes: ChangeSet): void {
    for (const table of tables) this.#write(table, changes);
  }

  /** Rows of a table by key; parts of a key are joined by a space. */
  rows(table: Table): ReadonlyMap<string, MemoryRow> {
    return this.#tables.get(table.name) ?? new Map<string, MemoryRow>();
  }

  #write(table: Table, changes: ChangeSet): void {
    let rows = this.#tables.get(table.name);
    if (rows === undefined) this.#tables.set(table.name, (rows = new Map<string, Record<string, SetValue | bigint>>()));
    for (const { key, deleted, set, add } of changes.rows(table)) {
      const name = key.join(' ');
      if (deleted) rows.delete(name);
      if (set === undefined && add === undefined) continue;
      let row = rows.get(name);
      if (row === undefined) {
        if (table.madeWith !== undefined && set?.[table.madeWith] === undefined) continue;
        rows.set(name, (row = emptyRow(table, key)));
      }
      for (const column in set) {
        const value = set[column];
        if (value !== undefined) row[column] = value;
      }
      for (const column in add) row[column] = (row[column] as bigint) + (add[column] ?? 0n);
    }
  }
}

function emptyRow(table: Table, key: readonly string[]): Record<string, SetValue | bigint> {
  const row: Record<string, SetValue | bigint> = {};
  for (const [index, column] of table.key.entries()) row[column] = key[index] as string;
  for (const [column, { fold }] of Object.entries(table.columns)) if (fold === 'add') row[column] = 0n;
  return row;
}
