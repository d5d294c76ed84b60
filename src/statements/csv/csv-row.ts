import { exponentOf } from '../../kernel/currencies.ts';
import type { LineDetails } from '../statement.ts';
import { StatementUnreadableError } from '../statement-reader.ts';
import { minorReader } from './csv-amount.ts';
import type { ColumnsOf } from './csv-columns.ts';
import { dateFormatOf, dayInZone, instantMsOf, offsetMinutesOf } from './csv-date.ts';
import type { CsvColumn, CsvDate, CsvMapping } from './csv-mapping.ts';
import type { CsvRecord } from './csv-records.ts';

/** What a row says, before it has a place in a statement. */
export interface CsvBooking {
  readonly valueDate: string;
  readonly entryDate: string | undefined;
  readonly amount: bigint;
  readonly reference: string;
  readonly bankReference: string;
  readonly text: string;
  readonly transactionCode: string | undefined;
  readonly details: LineDetails | undefined;
  /** The balance after it. */
  readonly balance: bigint | undefined;
}

/** Reads the cells of rows by a mapping and the places of its columns; made once for each file. */
export class CsvRowReader {
  readonly #mapping: CsvMapping;
  readonly #place: ColumnsOf;
  readonly #minor: (text: string, exponent: number) => bigint | undefined;
  readonly #amount: (record: CsvRecord, exponent: number) => bigint;
  readonly #bookingDate: ((record: CsvRecord) => string) | undefined;
  readonly #valueDate: ((record: CsvRecord) => string) | undefined;
  readonly #cells: Readonly<
    Record<'reference' | 'bankReference' | 'code' | 'name' | 'account' | 'fee' | 'balance', number>
  >;
  readonly #text: readonly number[];
  readonly #references: readonly (readonly [string, number])[];

  constructor(mapping: CsvMapping, place: ColumnsOf) {
    this.#mapping = mapping;
    this.#place = place;
    this.#minor = minorReader({
      decimalMark: mapping.decimalMark,
      thousandsMark: mapping.thousandsMark,
      unit: mapping.unit,
    });
    this.#amount = this.#amountRule();
    const zoneDay = dayInZone(mapping.timeZone);
    this.#bookingDate = this.#dateRule(mapping.bookingDate, zoneDay);
    this.#valueDate = this.#dateRule(mapping.valueDate, zoneDay);
    const at = (column: CsvColumn | undefined): number => (column === undefined ? -1 : (place(column) ?? -1));
    this.#cells = {
      reference: at(mapping.reference),
      bankReference: at(mapping.bankReference),
      code: at(mapping.transactionCode),
      name: at(mapping.counterpartyName),
      account: at(mapping.counterpartyAccount),
      fee: at(mapping.fee),
      balance: at(mapping.balance?.column),
    };
    this.#text = (mapping.text ?? []).map(at);
    this.#references = Object.entries(mapping.references ?? {}).map(([name, column]) => [name, at(column)]);
  }

  booking(record: CsvRecord, currency: string): CsvBooking {
    const exponent = exponentOf(currency) ?? 0;
    const cells = this.#cells;
    const entryDate = this.#bookingDate?.(record);
    const code = cellAt(record, cells.code);
    const text = this.#text.map((index) => cellAt(record, index)).filter((cell) => cell.trim() !== '');
    return {
      valueDate: this.#valueDate?.(record) ?? entryDate ?? '',
      entryDate,
      amount: this.#amount(record, exponent),
      reference: cellAt(record, cells.reference),
      bankReference: cellAt(record, cells.bankReference),
      text: text.join('\n'),
      transactionCode: code === '' ? undefined : code,
      details: this.#details(record, exponent),
      balance: this.#optionalAmount(record, cells.balance, exponent),
    };
  }

  /** The cell of a column that the mapping names; '' where the file lacks it. */
  cell(record: CsvRecord, column: CsvColumn): string {
    return cellAt(record, this.#place(column) ?? -1);
  }

  amountIn(record: CsvRecord, column: CsvColumn, currency: string): bigint {
    return this.#exact(record, this.#place(column) ?? -1, exponentOf(currency) ?? 0);
  }

  #details(record: CsvRecord, exponent: number): LineDetails | undefined {
    const { name, account, fee } = this.#cells;
    const charges = this.#optionalAmount(record, fee, exponent);
    const counterpartyName = cellAt(record, name);
    const counterpartyAccount = cellAt(record, account);
    const references = this.#references.filter(([, index]) => cellAt(record, index) !== '');
    const details: LineDetails = {
      ...(counterpartyName === '' ? {} : { counterpartyName }),
      ...(counterpartyAccount === '' ? {} : { counterpartyAccount }),
      ...(references.length === 0
        ? {}
        : { references: Object.fromEntries(references.map(([key, index]) => [key, cellAt(record, index)])) }),
      ...(charges === undefined ? {} : { charges }),
    };
    return Object.keys(details).length === 0 ? undefined : details;
  }

  #amountRule(): (record: CsvRecord, exponent: number) => bigint {
    const { rule, column = 0, credit = 0, debit = 0, direction = 0, inverted, debitSign } = this.#mapping.amount;
    const at = (one: CsvColumn): number => this.#place(one) ?? -1;
    if (rule === 'signed') {
      const index = at(column);
      const sign = inverted === true ? -1n : 1n;
      return (record, exponent) => sign * this.#exact(record, index, exponent);
    }
    if (rule === 'columns') {
      const [creditAt, debitAt] = [at(credit), at(debit)];
      return (record, exponent) => this.#ofColumns(record, creditAt, debitAt, debitSign ?? 'none', exponent);
    }
    const [amountAt, wordAt] = [at(column), at(direction)];
    const { creditWords = [], debitWords = [] } = this.#mapping.amount;
    return (record, exponent) => {
      const word = cellAt(record, wordAt).trim();
      const sign = creditWords.includes(word) ? 1n : debitWords.includes(word) ? -1n : undefined;
      if (sign === undefined) {
        throw this.unreadable(
          'SignUnreadable',
          'the direction is none of the words of creditWords and debitWords',
          record,
          wordAt,
        );
      }
      const size = this.#exact(record, amountAt, exponent);
      if (size < 0n)
        throw this.unreadable('SignUnreadable', 'an amount beside a direction has a sign of its own', record, amountAt);
      return sign * size;
    };
  }

  /** One of the two is the amount; in the other nothing stands, or zero. */
  #ofColumns(record: CsvRecord, creditAt: number, debitAt: number, debitSign: string, exponent: number): bigint {
    const credit = this.#optionalAmount(record, creditAt, exponent);
    const debit = this.#optionalAmount(record, debitAt, exponent);
    if (credit === undefined && debit === undefined) {
      throw this.unreadable(
        'AmountUnreadable',
        'neither the credit nor the debit column has an amount',
        record,
        creditAt,
      );
    }
    if ((credit ?? 0n) !== 0n && (debit ?? 0n) !== 0n) {
      throw this.unreadable('SignUnreadable', 'both the credit and the debit column have an amount', record, debitAt);
    }
    if ((credit ?? 0n) < 0n)
      throw this.unreadable('SignUnreadable', 'a credit is written with a minus', record, creditAt);
    if (debit === undefined || debit === 0n) return credit ?? 0n;
    if (debitSign !== 'either' && debit < 0n !== (debitSign === 'minus')) {
      throw this.unreadable(
        'SignUnreadable',
        `a debit is not written as debitSign "${debitSign}" says`,
        record,
        debitAt,
      );
    }
    return debit < 0n ? debit : -debit;
  }

  #dateRule(date: CsvDate | undefined, zoneDay: (ms: number) => string): ((record: CsvRecord) => string) | undefined {
    if (date === undefined) return undefined;
    const index = this.#place(date.column) ?? -1;
    const formats = date.formats.flatMap((format) => dateFormatOf(format) ?? []);
    const cellsOffset = date.zone === undefined ? undefined : offsetMinutesOf(date.zone);
    // Rows that follow one another are mostly of one day, and many columns say no more than that.
    let last = { text: '', day: '' };
    return (record) => {
      const text = cellAt(record, index).trim();
      if (text === last.text && text !== '') return last.day;
      for (const format of formats) {
        const read = format(text);
        if (read === undefined) continue;
        const offset = read.offsetMinutes ?? cellsOffset;
        last = { text, day: offset === undefined ? read.day : zoneDay(instantMsOf(read, offset)) };
        return last.day;
      }
      throw this.unreadable('DateUnreadable', `a date is not written as ${date.formats.join(' or ')}`, record, index);
    };
  }

  #optionalAmount(record: CsvRecord, index: number, exponent: number): bigint | undefined {
    return index < 0 || cellAt(record, index).trim() === '' ? undefined : this.#exact(record, index, exponent);
  }

  #exact(record: CsvRecord, index: number, exponent: number): bigint {
    const amount = this.#minor(cellAt(record, index), exponent);
    if (amount !== undefined) return amount;
    throw this.unreadable(
      'AmountUnreadable',
      'an amount is not written as the mapping says (decimalMark, thousandsMark, unit), or has more decimals than its currency',
      record,
      index,
    );
  }

  /** Its column is the place of the cell in the row, quotes left out: cells are not kept as they were written. */
  unreadable(code: string, message: string, record: CsvRecord, index: number): StatementUnreadableError {
    const before = record.cells.slice(0, Math.max(0, index));
    const column = before.reduce((sum, cell) => sum + cell.length + 1, 1);
    return new StatementUnreadableError(code, `${message}: correct the mapping, or ask the provider`, {
      line: record.line,
      column,
    });
  }
}

function cellAt(record: CsvRecord, index: number): string {
  return record.cells[index] ?? '';
}
