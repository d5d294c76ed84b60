/** Postgres types of columns. Amounts are `numeric`: they have up to 30 digits of minor units. */
export type ColumnType = 'text' | 'numeric' | 'bigint' | 'integer' | 'timestamptz' | 'boolean';

export interface Column {
  readonly type: ColumnType;
  /** `add`: changes are summed, from 0. Otherwise the last value wins, and a value is never taken back to null. */
  readonly fold?: 'add';
  /** Not in the view. */
  readonly hidden?: true;
}

/** A table of a projection. What it is called in the database carries a version: see `postgres/tables.ts`. */
export interface Table<ColumnName extends string = string> {
  readonly name: string;
  readonly columns: Readonly<Record<ColumnName, Column>>;
  /** One or two text columns. */
  readonly key: readonly NoInfer<ColumnName>[];
  /** Columns of the view that are computed from the table's; in the place of the table's where the name is the same. */
  readonly computed?: Readonly<Record<string, string>>;
  /**
   * A row is made only by a change that gives this column a value; other changes of a row that is not there come to
   * nothing. So a fold need not know whether what a fact is about belongs into the table: what made it has said so.
   */
  readonly madeWith?: NoInfer<ColumnName>;
  /** Further indexes, as what follows `on <table>`. */
  readonly indexes?: readonly string[];
  /** The same, of what no two rows share. */
  readonly uniques?: readonly string[];
  /** Free space in its pages, for updates that stay on the page. Default 100: none. */
  readonly fillfactor?: number;
}

/** Keeps the column names in the table's type, so that a fold that names another does not compile. */
export function defineTable<ColumnName extends string>(table: Table<ColumnName>): Table<ColumnName> {
  return table;
}
