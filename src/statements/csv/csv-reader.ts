import { exponentOf } from '../../kernel/currencies.ts';
import { PartDelivery } from '../part-delivery.ts';
import type { StatementPart } from '../statement.ts';
import { StatementUnreadableError, type StatementReader } from '../statement-reader.ts';
import { columnsIn, missingColumn } from './csv-columns.ts';
import type { CsvColumn, CsvMapping } from './csv-mapping.ts';
import { CsvRecords, type CsvRecord } from './csv-records.ts';
import { CsvRowReader } from './csv-row.ts';
import { CsvStatement } from './csv-statement.ts';

/** What the caller knows better than the mapping: it goes before its fixed values, and not before the file's columns. */
export interface CsvOptions {
  readonly account?: string;
  readonly currency?: string;
}

/**
 * Reads a provider's report by its mapping. Rows that follow one another with the same account and currency are one
 * statement. A row that cannot be read is an error with its line and column; nothing is skipped without a word.
 */
export function csvReader(mapping: CsvMapping, options: CsvOptions = {}): StatementReader {
  const delivery = new PartDelivery<StatementPart>();
  const rows = new CsvRows(mapping, options, (part) => delivery.add(part));
  const records = new CsvRecords(mapping, (record) => rows.take(record));
  return {
    push: (bytes) => delivery.push(() => records.write(bytes)),
    end: () =>
      delivery.end(() => {
        records.end();
        rows.end(records.sawCp1252);
      }),
  };
}

/** Above the header stand a title and some lines about the account; not more than this. */
const HEADER_ROWS_MAX = 50;

class CsvRows {
  readonly #mapping: CsvMapping;
  readonly #options: CsvOptions;
  readonly #emit: (part: StatementPart) => void;
  #rows = 0;
  #reader: CsvRowReader | undefined;
  #width: number | undefined;
  #footed = false;
  #statement: CsvStatement | undefined;
  #lastLine = 1;

  constructor(mapping: CsvMapping, options: CsvOptions, emit: (part: StatementPart) => void) {
    this.#mapping = mapping;
    this.#options = options;
    this.#emit = emit;
    if (mapping.header === 'none') this.#reader = new CsvRowReader(mapping, columnsIn(undefined));
  }

  take(record: CsvRecord): void {
    this.#lastLine = record.line;
    if (record.cells.every((cell) => cell.trim() === '')) return;
    this.#rows += 1;
    if (this.#rows <= this.#mapping.skipRows || this.#footed) return;
    if (this.#reader === undefined) this.#header(record);
    else if (this.#isFooter(record)) this.#footed = true;
    else this.#row(record, this.#reader);
  }

  end(sawCp1252: boolean): void {
    if (this.#reader === undefined) throw this.#noHeader(undefined, { line: this.#lastLine, column: 1 });
    const { account, currency } = this.#fixed();
    if (this.#statement === undefined && account !== undefined && currency !== undefined) {
      this.#statement = this.#opened(account, currency);
    }
    if (this.#statement === undefined) {
      this.#problem('NoStatement', 'the report has no rows, and nothing else says account and currency');
    }
    this.#statement?.end();
    if (sawCp1252) {
      this.#problem(
        'CharsetContradicted',
        'the mapping says ISO-8859-1 and the file has characters that only CP1252 has',
      );
    }
  }

  #header(record: CsvRecord): void {
    const missing = missingColumn(this.#mapping, record.cells);
    if (missing === undefined) {
      this.#width = record.cells.length;
      this.#reader = new CsvRowReader(this.#mapping, columnsIn(record.cells));
    } else if (this.#mapping.header === 'first' || this.#rows - this.#mapping.skipRows >= HEADER_ROWS_MAX) {
      throw this.#noHeader(missing, { line: record.line, column: 1 });
    }
  }

  #noHeader(
    missing: string | undefined,
    at: { readonly line: number; readonly column: number },
  ): StatementUnreadableError {
    const what =
      missing === undefined ? 'no row has all columns of the mapping' : `the column ${missing} is not in the header`;
    return new StatementUnreadableError(
      'HeaderMissing',
      `${what}: this is not a report of ${this.#mapping.name}, or its mapping is to be corrected`,
      at,
    );
  }

  #isFooter(record: CsvRecord): boolean {
    const first = record.cells[0]?.trim() ?? '';
    return this.#mapping.footers?.some((footer) => first.startsWith(footer)) ?? false;
  }

  #row(record: CsvRecord, reader: CsvRowReader): void {
    this.#checkWidth(record, reader);
    const statement = this.#statementOf(record, reader);
    const { status, balance } = this.#mapping;
    if (status !== undefined) {
      const said = reader.cell(record, status.column).trim();
      if (!status.values.includes(said)) {
        statement.notBooked(said);
        return;
      }
    }
    if (balance?.rows !== undefined) {
      const word = reader.cell(record, balance.rows.column).trim();
      const isOpening = balance.rows.opening?.includes(word) ?? false;
      if (isOpening || (balance.rows.closing?.includes(word) ?? false)) {
        const amount = reader.amountIn(record, balance.rows.amount, statement.currency);
        if (isOpening) statement.opening(amount);
        else statement.closing(amount);
        return;
      }
    }
    statement.line(reader.booking(record, statement.currency), record.line);
  }

  /** Empty cells behind the last column are a delimiter at the line's end; anything else is a row that was broken. */
  #checkWidth(record: CsvRecord, reader: CsvRowReader): void {
    const width = this.#width;
    const { cells } = record;
    if (width === undefined || cells.length === width) return;
    if (cells.length > width && cells.slice(width).every((cell) => cell.trim() === '')) return;
    throw reader.unreadable(
      'RowUnreadable',
      `a row has ${cells.length} cells, the header ${width}`,
      record,
      Math.min(cells.length, width),
    );
  }

  #fixed(): { readonly account: string | undefined; readonly currency: string | undefined } {
    return {
      account: this.#options.account ?? this.#mapping.account.fixed,
      currency: this.#options.currency ?? this.#mapping.currency.fixed,
    };
  }

  #statementOf(record: CsvRecord, reader: CsvRowReader): CsvStatement {
    const fixed = this.#fixed();
    const said = (column: CsvColumn | undefined): string | undefined => {
      const cell = column === undefined ? '' : reader.cell(record, column).trim();
      return cell === '' ? undefined : cell;
    };
    const account = said(this.#mapping.account.column) ?? fixed.account;
    const currency = said(this.#mapping.currency.column)?.toUpperCase() ?? fixed.currency;
    if (currency === undefined || exponentOf(currency) === undefined) {
      throw reader.unreadable('CurrencyUnknown', 'a row has no currency of ISO 4217', record, 0);
    }
    if (account === undefined) throw reader.unreadable('AccountMissing', 'a row does not say its account', record, 0);
    if (this.#statement?.account !== account || this.#statement.currency !== currency) {
      this.#statement?.end();
      this.#statement = this.#opened(account, currency);
    }
    return this.#statement;
  }

  #opened(account: string, currency: string): CsvStatement {
    return new CsvStatement(account, currency, this.#mapping.balance?.order === 'newest-first', this.#emit);
  }

  #problem(code: string, message: string): void {
    this.#emit({ part: 'problem', problem: { code, message } });
  }
}
