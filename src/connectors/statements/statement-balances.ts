import type { Balance, StatementFormat, StatementPart } from '../../statements/index.ts';
import { last4Of, type RecordGround } from './line-record.ts';

/** What a statement says its account opened and closed with, as it is stored. */
export interface BalanceRecord {
  readonly ordinal: number;
  readonly account_hash: string;
  readonly account_last4: string;
  readonly currency: string;
  readonly sequence: string | null;
  readonly page: number | null;
  readonly opening: string | null;
  readonly closing: string | null;
  readonly day: string | null;
  readonly lines_from: string | null;
  readonly lines_to: string | null;
}

/** Notes the balances of a file's statements while its parts go by. Its memory is that of the statements not taken yet. */
export class StatementBalances {
  readonly #hash: RecordGround['hash'];
  #ordinal = -1;
  #format: StatementFormat | undefined;
  #current: BalanceRecord | undefined;
  #done: BalanceRecord[] = [];

  constructor(hash: RecordGround['hash']) {
    this.#hash = hash;
  }

  /** How many statements are complete, and not taken. */
  get waiting(): number {
    return this.#done.length;
  }

  see(part: StatementPart): void {
    switch (part.part) {
      case 'head': {
        const { format, account, currency = '', sequence, page, opening } = part.head;
        this.#end();
        this.#ordinal += 1;
        this.#format = format;
        this.#current = {
          ...{ ordinal: this.#ordinal, currency, sequence: sequence ?? null, page: page ?? null },
          ...{ account_hash: this.#hash('account', account), account_last4: last4Of(account) },
          opening: this.#told(opening, currency)?.amount.toString() ?? null,
          ...{ closing: null, day: null, lines_from: null, lines_to: null },
        };
        return;
      }
      case 'line': {
        const current = this.#current;
        if (current === undefined) return;
        const booked = part.line.entryDate ?? part.line.valueDate;
        const { lines_from: from, lines_to: to } = current;
        if (from === null || booked < from) this.#current = { ...current, lines_from: booked, lines_to: to ?? booked };
        if (to === null || booked > to) this.#current = { ...(this.#current ?? current), lines_to: booked };
        return;
      }
      case 'foot': {
        if (this.#current === undefined) return;
        const closing = this.#told(part.foot.closing, this.#current.currency);
        this.#current = {
          ...this.#current,
          closing: closing?.amount.toString() ?? null,
          day: closing?.date ?? null,
        };
        this.#end();
        return;
      }
      case 'problem':
    }
  }

  /** The complete ones, once; at the end of the file the last one too. */
  take(atEnd = false): BalanceRecord[] {
    if (atEnd) this.#end();
    const taken = this.#done;
    this.#done = [];
    return taken;
  }

  #end(): void {
    const current = this.#current;
    if (current !== undefined && current.currency !== '')
      this.#done.push({ ...current, day: current.day ?? current.lines_to });
    this.#current = undefined;
  }

  /** What a report within the day calls interim is what it was at some hour: the day neither begins nor ends with it. */
  #told(balance: Balance | undefined, currency: string): Balance | undefined {
    if (balance?.currency !== undefined && balance.currency !== currency) return undefined;
    return this.#format === 'camt.052' && balance?.kind === 'ITBD' ? undefined : balance;
  }
}
