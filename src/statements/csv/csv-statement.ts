import type { Balance, SignedMinor, StatementPart } from '../statement.ts';
import type { CsvBooking } from './csv-row.ts';

/** One run of rows of the same account and currency. */
export class CsvStatement {
  readonly account: string;
  readonly currency: string;
  readonly #newestFirst: boolean;
  readonly #emit: (part: StatementPart) => void;
  #headOut = false;
  #opening: Balance | undefined;
  #closing: Balance | undefined;
  #lines = 0;
  /** The running balance after the row before, and that row's amount. */
  #previous: { readonly balance: SignedMinor; readonly amount: SignedMinor } | undefined;
  #saidBalance = false;
  readonly #notBooked = new Map<string, number>();

  constructor(account: string, currency: string, newestFirst: boolean, emit: (part: StatementPart) => void) {
    this.account = account;
    this.currency = currency;
    this.#newestFirst = newestFirst;
    this.#emit = emit;
  }

  opening(amount: SignedMinor): void {
    this.#opening = { amount, kind: 'opening' };
  }

  closing(amount: SignedMinor): void {
    this.#closing = { amount, kind: 'closing' };
  }

  /** A row that the status filter holds back. */
  notBooked(status: string): void {
    // Statuses are few; a column that is none could fill the memory.
    const key = this.#notBooked.has(status) || this.#notBooked.size < 100 ? status : 'others';
    this.#notBooked.set(key, (this.#notBooked.get(key) ?? 0) + 1);
  }

  line(booking: CsvBooking, line: number): void {
    const { balance, amount, entryDate, transactionCode, details } = booking;
    const date = entryDate ?? booking.valueDate;
    if (balance !== undefined) this.#running(balance, amount, date, line);
    this.#begin();
    this.#emit({
      part: 'line',
      line: {
        index: this.#lines,
        valueDate: booking.valueDate,
        ...(entryDate === undefined ? {} : { entryDate }),
        amount,
        reversal: false,
        reference: booking.reference,
        bankReference: booking.bankReference,
        text: booking.text,
        ...(transactionCode === undefined ? {} : { transactionCode }),
        ...(details === undefined ? {} : { details }),
        at: { line },
      },
    });
    this.#lines += 1;
  }

  end(): void {
    this.#begin();
    this.#emit({
      part: 'foot',
      foot: {
        ...(this.#closing === undefined ? {} : { closing: this.#closing }),
        otherBalances: [],
        linesCount: this.#lines,
        ...(this.#notBooked.size === 0 ? {} : { notBookedCounts: Object.fromEntries(this.#notBooked) }),
      },
    });
  }

  /** Each balance must follow from the one before: the first that does not is said, and counting goes on from it. */
  #running(balance: SignedMinor, amount: SignedMinor, date: string, line: number): void {
    const before = this.#previous;
    this.#previous = { balance, amount };
    if (this.#newestFirst) this.#closing ??= { amount: balance, date, kind: 'running' };
    else this.#closing = { amount: balance, date, kind: 'running' };
    if (before === undefined) {
      if (!this.#newestFirst) this.#opening ??= { amount: balance - amount, kind: 'running' };
      return;
    }
    const expected = this.#newestFirst ? before.balance - before.amount : before.balance + amount;
    if (balance === expected || this.#saidBalance) return;
    this.#saidBalance = true;
    this.#emit({
      part: 'problem',
      problem: {
        code: 'BalanceMismatch',
        message: `the balance of this row is ${balance}, by the rows before it ${expected} (minor units): rows are missing, or in another order`,
        at: { line },
      },
    });
  }

  #begin(): void {
    if (this.#headOut) return;
    this.#headOut = true;
    this.#emit({
      part: 'head',
      head: {
        format: 'csv',
        account: this.account,
        currency: this.currency,
        ...(this.#opening === undefined ? {} : { opening: this.#opening }),
      },
    });
  }
}
