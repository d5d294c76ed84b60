import { parse } from 'csv-parse/sync';
import { isAccountId } from '../../kernel/ids.ts';
import { parseDecimal } from '../../kernel/money.ts';

/** The currency of the history: its file has no column for one. */
export const historyCurrency = 'CZK';

/** A transaction of the bank, as far as it makes a payment. */
export interface HistoryRow {
  readonly line: number;
  readonly transId: string;
  /** The day of the transaction, at 00:00 UTC. */
  readonly effectiveAt: string;
  readonly account: string;
  readonly direction: 'credit' | 'debit';
  /** Minor units, above 0. */
  readonly amount: bigint;
  /** `cash`, `card`, `interest`, `fee` or `bank:<code>`. */
  readonly provider: string;
}

/** Why a line makes no payment, in words for the person who has the file. */
export interface Unreadable {
  readonly line: number;
  readonly problem: string;
}

const needed = [
  'trans_id',
  'date',
  'account_id',
  'direction',
  'operation',
  'symbol',
  'amount',
  'partner_bank',
] as const;
type Column = (typeof needed)[number];

/** Which cell of a row is which. Columns that are not needed (`balance_after`, `partner_account`, others) may be anything. */
export interface Header {
  readonly width: number;
  readonly index: Readonly<Record<Column, number>>;
}

/** Reads the first line of the file, or says what it lacks. */
export function readHeader(text: string): Header | string {
  const names = cellsOf(text)?.map((name) => name.trim()) ?? [];
  const missing = needed.filter((column) => !names.includes(column));
  if (missing.length > 0) {
    return `its first line must name the columns; missing: ${missing.join(', ')}`;
  }
  const index = Object.fromEntries(needed.map((column) => [column, names.indexOf(column)])) as Record<Column, number>;
  return { width: names.length, index };
}

/** Reads one line of the history, or says why it cannot be read. Nothing is guessed. */
export function readRow(line: number, text: string, header: Header): HistoryRow | Unreadable {
  const cells = cellsOf(text);
  if (cells === undefined) return { line, problem: 'its quotes do not match' };
  if (cells.length !== header.width) {
    return { line, problem: `it has ${cells.length} columns, the first line has ${header.width}` };
  }
  const cell = (column: Column): string => cells[header.index[column]] ?? '';
  const problem = (what: Column, wanted: string): Unreadable => {
    return { line, problem: `${what} is ${JSON.stringify(cell(what).slice(0, 80))}: ${wanted}` };
  };

  const transId = cell('trans_id');
  if (transId === '' || transId.length > 255) return problem('trans_id', 'wanted are 1 to 255 characters');
  const date = cell('date');
  if (!isDate(date)) return problem('date', 'wanted is a day as 1993-12-31');
  const account = cell('account_id');
  if (!isAccountId(account))
    return problem('account_id', 'wanted are 1 to 64 letters, digits, dots, dashes, underscores');
  const direction = cell('direction');
  if (direction !== 'credit' && direction !== 'debit') return problem('direction', 'wanted is credit or debit');
  const amount = parseDecimal(cell('amount'), historyCurrency);
  if (typeof amount !== 'bigint') return problem('amount', amount.message);
  if (amount <= 0n) return problem('amount', 'wanted is an amount above 0; the direction is its sign');
  const operation = operations[cell('operation')];
  if (operation === undefined) return problem('operation', `wanted is one of ${Object.keys(operations).join(', ')}`);
  if (!operation.directions.includes(direction)) return problem('operation', `it cannot be a ${direction}`);
  const provider = operation.provider(cell('symbol'), cell('partner_bank'));
  if (!isProvider(provider)) return problem('partner_bank', 'wanted is the code of a bank');
  return { line, transId, effectiveAt: `${date}T00:00:00.000Z`, account, direction, amount, provider };
}

interface Operation {
  readonly directions: readonly string[];
  /** Who is on the other side. */
  readonly provider: (symbol: string, partnerBank: string) => string;
}

/** What the bank takes for itself is booked as a cash withdrawal; its symbol says what it really is. */
const ownCharges: Readonly<Record<string, string>> = { statement_fee: 'fee', overdraft_interest: 'interest' };

const transfer = (_symbol: string, partnerBank: string): string =>
  `bank:${partnerBank === '' ? 'unknown' : partnerBank}`;

const operations: Readonly<Record<string, Operation>> = {
  cash_deposit: { directions: ['credit'], provider: () => 'cash' },
  cash_withdrawal: { directions: ['debit'], provider: (symbol) => ownCharges[symbol] ?? 'cash' },
  card_withdrawal: { directions: ['debit'], provider: () => 'card' },
  transfer_in: { directions: ['credit'], provider: transfer },
  transfer_out: { directions: ['debit'], provider: transfer },
  interest: { directions: ['credit', 'debit'], provider: () => 'interest' },
};

const isProvider = (name: string): boolean => /^(?:[a-z]+|bank:[A-Za-z0-9_.-]{1,59})$/.test(name);

/** Whether the text is a day of the calendar: `Date` would make 1993-03-02 of 1993-02-30. */
function isDate(text: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00.000Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** The cells of a line; undefined where its quotes do not match. Most lines have no quotes and need no parser. */
function cellsOf(text: string): string[] | undefined {
  if (!text.includes('"')) return text.split(',');
  try {
    return parse(text, { relax_column_count: true })[0] ?? [];
  } catch {
    return undefined;
  }
}
