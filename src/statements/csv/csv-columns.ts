import type { CsvColumn, CsvMapping } from './csv-mapping.ts';

/** The numbers of a mapping's columns in one file. */
export type ColumnsOf = (column: CsvColumn) => number | undefined;

/** By the header's names; without a header only numbers are found. Of a name that is there twice the first counts. */
export function columnsIn(header: readonly string[] | undefined): ColumnsOf {
  const names = header?.map((name) => name.trim());
  return (column) => {
    if (typeof column === 'number') return column;
    for (const name of typeof column === 'string' ? [column] : column) {
      const index = names?.indexOf(name) ?? -1;
      if (index >= 0) return index;
    }
    return undefined;
  };
}

interface Wanted {
  readonly column: CsvColumn;
  /** The mapping has something in its place. */
  readonly optional: boolean;
}

function wantedOf(mapping: CsvMapping): Wanted[] {
  const { amount, currency, account, bookingDate, valueDate, status, fee, balance } = mapping;
  const needed = [
    amount.column,
    amount.credit,
    amount.debit,
    amount.direction,
    bookingDate?.column,
    valueDate?.column,
    status?.column,
    fee,
    balance?.column,
    balance?.rows?.column,
    balance?.rows?.amount,
    mapping.bankReference,
    ...Object.values(mapping.references ?? {}),
  ];
  const may = (field: NonNullable<CsvMapping['optional']>[number], columns: readonly (CsvColumn | undefined)[]) =>
    columns.map((column) => ({ column, optional: mapping.optional?.includes(field) ?? false }));
  return [
    ...needed.map((column) => ({ column, optional: false })),
    ...may('reference', [mapping.reference]),
    ...may('text', mapping.text ?? []),
    ...may('transactionCode', [mapping.transactionCode]),
    ...may('counterpartyName', [mapping.counterpartyName]),
    ...may('counterpartyAccount', [mapping.counterpartyAccount]),
    { column: currency.column, optional: currency.fixed !== undefined },
    { column: account.column, optional: account.fixed !== undefined },
  ].flatMap(({ column, optional }) => (column === undefined ? [] : [{ column, optional }]));
}

/** The first column that the mapping needs and the header lacks, as people call it. */
export function missingColumn(mapping: CsvMapping, header: readonly string[]): string | undefined {
  const columns = columnsIn(header);
  const missing = wantedOf(mapping).find(({ column, optional }) => !optional && columns(column) === undefined);
  if (missing === undefined) return undefined;
  return typeof missing.column === 'object' ? missing.column.join(' or ') : String(missing.column);
}
