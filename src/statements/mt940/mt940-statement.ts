import { decimalsOf, isWithdrawn } from '../statement-currency.ts';
import type { Balance, StatementFormat, StatementHead, StatementLine, StatementPart } from '../statement.ts';
import { balanceField, balanceOf, type BalanceField } from './mt940-balance.ts';
import { mt940Details } from './mt940-details.ts';
import { mt940Entry } from './mt940-entry.ts';
import { amountOf, unreadable, type Place } from './mt940-values.ts';

/** Of a statement whose currency only its closing balance says, so many lines are held; more are refused. */
const WAITING_MAX = 1000;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A line whose fields are whole. */
interface WholeLine {
  readonly value: string;
  readonly below: readonly string[];
  readonly text: string;
  readonly line: number;
}

/** What the message says before its statement begins. */
export interface MessageHead {
  reference: string;
  account: string;
  sequence: string;
  /** 942, where the block before the message says so. */
  type: string;
}

/** One statement of an MT940 or MT942: one message, or one page of several messages. Hands over head, lines, foot. */
export class Mt940Statement {
  readonly #emit: (part: StatementPart) => void;
  readonly #message: MessageHead;
  readonly #startedAt: number;
  readonly #fallbackCurrency: string | undefined;
  #currency: string | undefined;
  #opening: BalanceField | undefined;
  #closing: Balance | undefined;
  #others: Balance[] = [];
  #text: string[] = [];
  #headGiven = false;
  #interim = false;
  #waiting: WholeLine[] = [];
  #linesCount = 0;
  #expected: Record<string, number> = {};
  #counted = { credits: 0, debits: 0, creditSum: 0n, debitSum: 0n };
  #totals: { readonly tag: string; readonly value: string; readonly line: number }[] = [];

  constructor(
    emit: (part: StatementPart) => void,
    message: MessageHead,
    startedAt: number,
    fallbackCurrency: string | undefined,
  ) {
    this.#emit = emit;
    this.#message = message;
    this.#startedAt = startedAt;
    this.#fallbackCurrency = fallbackCurrency;
  }

  opening(tag: string, value: string, line: number): void {
    this.#opening = balanceField(tag, value, line);
    this.#currency ??= this.#opening.currency;
  }

  /** `:34F:EURD12345,67`, the least amount that an MT942 reports: here it tells the currency. */
  floor(value: string): void {
    this.#interim = true;
    const currency = /^[A-Z]{3}/.exec(value)?.[0];
    if (currency !== undefined && decimalsOf(currency) !== undefined) this.#currency ??= currency;
  }

  /** `:13D:` is of an MT942. */
  interim(): void {
    this.#interim = true;
  }

  line(whole: WholeLine): void {
    this.#settleCurrency();
    if (this.#currency === undefined) {
      this.#waiting.push(whole);
      if (this.#waiting.length > WAITING_MAX) this.#currencyMissing(this.#waiting[0]?.line ?? whole.line);
      return;
    }
    this.#giveHead();
    this.#giveLine(whole, this.#currency);
  }

  closing(tag: string, value: string, line: number): void {
    const field = balanceField(tag, value, line);
    this.#settleCurrency();
    this.#currency ??= field.currency;
    this.#release(line);
    this.#closing = balanceOf(field, this.#currency ?? '', this.#problem);
  }

  other(tag: string, value: string, line: number): void {
    const field = balanceField(tag, value, line);
    this.#settleCurrency();
    this.#currency ??= field.currency;
    this.#release(line);
    this.#others.push(balanceOf(field, this.#currency ?? '', this.#problem));
  }

  totals(tag: string, value: string, line: number): void {
    this.#interim = true;
    this.#currency ??= /[A-Z]{3}/.exec(value)?.[0];
    this.#totals.push({ tag, value, line });
  }

  text(text: string): void {
    this.#text.push(text);
  }

  /** The message has ended, or the next statement begins. */
  end(line: number): void {
    this.#settleCurrency();
    const [first] = this.#waiting;
    if (first !== undefined) this.#release(first.line);
    this.#giveHead();
    for (const { tag, value, line: at } of this.#totals) this.#checkTotals(tag, value, at);
    const at = { line, column: 1 };
    if (!this.#isInterim()) {
      if (this.#opening === undefined)
        this.#problem('OpeningMissing', 'a statement has no opening balance (:60F:)', at);
      if (this.#closing === undefined) {
        this.#problem('ClosingMissing', 'a statement has no closing balance (:62F:): its end may be missing', at);
      }
    }
    this.#emit({
      part: 'foot',
      foot: {
        ...(this.#closing === undefined ? {} : { closing: this.#closing }),
        otherBalances: this.#others,
        ...(this.#text.length === 0 ? {} : { text: this.#text.join('\n') }),
        linesCount: this.#linesCount,
        ...(Object.keys(this.#expected).length === 0 ? {} : { notBookedCounts: this.#expected }),
      },
    });
  }

  #isInterim(): boolean {
    return this.#message.type === '942' || (this.#interim && this.#opening === undefined);
  }

  /** By what stands before the lines; what the caller says comes last. */
  #settleCurrency(): void {
    this.#currency ??= currencySuffix(this.#message.account) ?? this.#fallbackCurrency;
  }

  /** The currency is known now, or never. */
  #release(line: number): void {
    if (this.#currency === undefined) this.#currencyMissing(line);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#giveHead();
    for (const whole of waiting) this.#giveLine(whole, this.#currency);
  }

  #currencyMissing(line: number): never {
    throw unreadable('CurrencyMissing', 'neither a balance nor the account says the currency: configure it', {
      line,
      column: 1,
    });
  }

  #giveHead(): void {
    if (this.#headGiven) return;
    this.#headGiven = true;
    const currency = this.#currency;
    const at = { line: this.#startedAt, column: 1 };
    const format: StatementFormat = this.#isInterim() ? 'mt942' : 'mt940';
    const head: Writable<StatementHead> = { format, account: withoutCurrency(this.#message.account, currency) };
    if (currency !== undefined) head.currency = currency;
    if (this.#message.reference !== '') head.reference = this.#message.reference;
    const [, sequence, page] = SEQUENCE.exec(this.#message.sequence) ?? [];
    if (sequence !== undefined) head.sequence = sequence;
    if (page !== undefined) head.page = Number(page);
    if (this.#opening !== undefined) {
      if (currency === undefined) this.#currencyMissing(this.#opening.at.line);
      head.opening = balanceOf(this.#opening, currency, this.#problem);
    }
    if (this.#message.account === '')
      this.#problem('AccountMissing', 'a statement does not say its account (:25:)', at);
    if (currency !== undefined && isWithdrawn(currency)) {
      this.#problem('CurrencyWithdrawn', `${currency} is no currency any more: no account of today has it`, at);
    }
    this.#emit({ part: 'head', head });
  }

  #giveLine({ value, below, text, line }: WholeLine, currency: string): void {
    const entry = mt940Entry(value, below, currency, line, this.#problem);
    if (entry.fundsCode !== '' && entry.fundsCode !== currency.charAt(2)) {
      this.#problem('FundsCodeMismatch', `the funds code is ${entry.fundsCode}, the statement's currency ${currency}`, {
        line,
        column: 1,
      });
    }
    if (entry.expected) {
      const mark = entry.creditMark ? 'EC' : 'ED';
      this.#expected[mark] = (this.#expected[mark] ?? 0) + 1;
      this.#problem('ExpectedNotBooked', `${mark}: an entry is announced and not booked, so it is no line`, {
        line,
        column: 1,
      });
      return;
    }
    this.#count(entry.amount);
    const given: Writable<StatementLine> = {
      index: this.#linesCount,
      valueDate: entry.valueDate,
      amount: entry.amount,
      reversal: entry.reversal,
      reference: entry.reference,
      bankReference: entry.bankReference,
      text,
      at: { line },
    };
    if (entry.entryDate !== undefined) given.entryDate = entry.entryDate;
    if (entry.transactionCode !== '') given.transactionCode = entry.transactionCode;
    if (entry.supplementary !== '') given.supplementary = entry.supplementary;
    const details = mt940Details(text, entry.supplementary, currency);
    if (details !== undefined) given.details = details;
    this.#linesCount += 1;
    this.#emit({ part: 'line', line: given });
  }

  #count(amount: bigint): void {
    const counted = this.#counted;
    if (amount < 0n) {
      counted.debits += 1;
      counted.debitSum -= amount;
    } else {
      counted.credits += 1;
      counted.creditSum += amount;
    }
  }

  /** `:90D:2EUR130,5`: how many debits the bank counts, and their sum. */
  #checkTotals(tag: string, value: string, line: number): void {
    const at = { line, column: tag.length + 3 };
    const [, countText, currency, amountText] = /^(\d{1,9})\s*([A-Z]{3})\s*(\S+)\s*$/.exec(value) ?? [];
    if (countText === undefined || currency === undefined || amountText === undefined) {
      this.#problem('TotalsUnreadable', `:${tag}: is wanted as 2EUR130,5`, at);
      return;
    }
    const said = amountOf(amountText, currency, at);
    const counted = this.#counted;
    const isDebit = tag === '90D';
    const [count, sum] = isDebit ? [counted.debits, counted.debitSum] : [counted.credits, counted.creditSum];
    if (Number(countText) === count && said === sum) return;
    this.#problem(
      'TotalsMismatch',
      `the bank counts ${countText} ${isDebit ? 'debits' : 'credits'} of ${said}, the lines are ${count} of ${sum} (minor units)`,
      at,
    );
  }

  readonly #problem = (code: string, message: string, at: Place): void => {
    this.#emit({ part: 'problem', problem: { code, message, at } });
  };
}

/** `00084/001`; a third part (`036/2009/BPL`) makes the second no page. */
const SEQUENCE = /^\s*(\d+)(?:\/(\d+)\s*$)?/;

/** `NL20INGB0001234567EUR`, `NL34RABO0123456789 EUR`: some banks write the currency behind the account. */
function currencySuffix(account: string): string | undefined {
  const currency = /\d\s*([A-Z]{3})$/.exec(account)?.[1];
  return currency !== undefined && decimalsOf(currency) !== undefined ? currency : undefined;
}

function withoutCurrency(account: string, currency: string | undefined): string {
  return currency !== undefined && currencySuffix(account) === currency ? account.slice(0, -3).trimEnd() : account;
}
