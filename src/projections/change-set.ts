import type { Table } from './table.ts';

/** Timestamps are ISO 8601, amounts decimal strings. */
export type SetValue = string | number | boolean;

/** All that a batch does to one row, in the order delete, set and add. */
export interface RowChange {
  readonly key: readonly string[];
  /** What is left of the row from before the batch goes first. */
  deleted: boolean;
  /** Undefined: not set, or never after a delete. */
  set: Record<string, SetValue | undefined> | undefined;
  add: Record<string, bigint> | undefined;
}

/**
 * The changes of rows that a batch of units comes to. What happens to a row several times in a batch is written once:
 * that is what makes a hot account cheap.
 */
export class ChangeSet {
  readonly #tables = new Map<Table, Map<string, RowChange>>();
  #size = 0;

  /** Rows changed. */
  get size(): number {
    return this.#size;
  }

  /**
   * The row has these values now; columns that are not named, or undefined, stay as they are. The object is kept: do not
   * change it afterwards.
   */
  set<ColumnName extends string>(
    table: Table<ColumnName>,
    key: readonly string[],
    values: Partial<Record<NoInfer<ColumnName>, SetValue | undefined>>,
  ): void {
    const row = this.#row(table, key);
    const named: Record<string, SetValue | undefined> = values;
    if (row.set === undefined) {
      row.set = named;
      return;
    }
    for (const name in named) {
      const value = named[name];
      if (value !== undefined) row.set[name] = value;
    }
  }

  /** Adds to columns of the row, which is made with zeros when it is not there. */
  add<ColumnName extends string>(
    table: Table<ColumnName>,
    key: readonly string[],
    amounts: Readonly<Partial<Record<NoInfer<ColumnName>, bigint>>>,
  ): void {
    const row = this.#row(table, key);
    row.add ??= {};
    const named: Readonly<Record<string, bigint | undefined>> = amounts;
    for (const name in named) row.add[name] = (row.add[name] ?? 0n) + (named[name] ?? 0n);
  }

  /** The row is gone, if it was there. */
  delete(table: Table, key: readonly string[]): void {
    const row = this.#row(table, key);
    row.deleted = true;
    row.set = undefined;
    row.add = undefined;
  }

  rows(table: Table): Iterable<RowChange> {
    return this.#tables.get(table)?.values() ?? [];
  }

  clear(): void {
    this.#tables.clear();
    this.#size = 0;
  }

  #row(table: Table, key: readonly string[]): RowChange {
    let rows = this.#tables.get(table);
    if (rows === undefined) this.#tables.set(table, (rows = new Map<string, RowChange>()));
    const name = key.length === 1 ? (key[0] as string) : key.join('\0');
    let row = rows.get(name);
    if (row === undefined) {
      row = { key, deleted: false, set: undefined, add: undefined };
      rows.set(name, row);
      this.#size += 1;
    }
    return row;
  }
}
