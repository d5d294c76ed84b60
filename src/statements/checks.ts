import type { Balance, StatementFoot, StatementHead, StatementLine, StatementPart } from './statement.ts';
import type { StatementReader } from './statement-reader.ts';

/** Of so many accounts the last statement of the file is remembered. */
const ACCOUNTS_MAX = 10_000;
/** A booking further from its statement's days is implausible. Banks book some days late, and value months back. */
const ENTRY_DAYS_MAX = 31;
const VALUE_DAYS_MAX = 366;

/**
 * The checks that do not depend on the format, as problems between the parts of the reader within. Nothing is dropped,
 * held back or repaired.
 */
export function withChecks(reader: StatementReader): StatementReader {
  const checks = new Checks();
  return {
    push: (bytes) => checks.look(reader.push(bytes)),
    end: () => checks.end(checks.look(reader.end())),
  };
}

class Checks {
  readonly #last = new Map<string, Ended>();
  #open: Open | undefined;

  look(parts: StatementPart[]): StatementPart[] {
    const all: StatementPart[] = [];
    for (const part of parts) {
      all.push(part);
      if (part.part === 'head') this.#begin(part.head, all);
      else if (part.part === 'line') this.#line(part.line, all);
      else if (part.part === 'foot') this.#end(part.foot, all);
    }
    return all;
  }

  end(all: StatementPart[]): StatementPart[] {
    for (const ended of this.#last.values()) if (goesOn(ended)) lastPageMissing(ended, all);
    return all;
  }

  #begin(head: StatementHead, all: StatementPart[]): void {
    checkPages(this.#last.get(keyOf(head)), head, all);
    this.#open = { head, sum: 0n, entry: newSpan(), value: newSpan() };
    if (head.opening !== undefined) checkCurrency(head.opening, head, all);
  }

  #line(line: StatementLine, all: StatementPart[]): void {
    const open = this.#open;
    if (open === undefined) return;
    if (line.currency === undefined || line.currency === open.head.currency) open.sum += line.amount;
    else {
      const message = `a line is of ${line.currency}, its statement of ${open.head.currency ?? 'no currency'}`;
      problem(all, 'CurrencyMismatch', message, line.at);
    }
    stretch(open.value, line.valueDate, line.at.line);
    if (line.entryDate !== undefined) stretch(open.entry, line.entryDate, line.at.line);
  }

  #end(foot: StatementFoot, all: StatementPart[]): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { head, sum } = open;
    const { opening } = head;
    const { closing } = foot;
    if (closing !== undefined) checkCurrency(closing, head, all);
    if (
      opening !== undefined &&
      closing?.currency === undefined &&
      closing !== undefined &&
      opening.currency === undefined
    ) {
      const expected = opening.amount + sum;
      if (expected !== closing.amount) {
        problem(
          all,
          'BalanceMismatch',
          `${nameOf(head)}: opening ${opening.amount} and lines ${sum} make ${expected}, the closing balance is ` +
            `${closing.amount} (minor units): lines are missing or wrong, ask the bank for it again`,
        );
      }
    }
    checkDates(open, closing, all);
    const previous = this.#last.get(keyOf(head));
    const ended: Ended = { head, closing };
    if (previous !== undefined) checkContinuity(previous, ended, all);
    this.#remember(keyOf(head), ended);
  }

  #remember(key: string, ended: Ended): void {
    this.#last.delete(key);
    this.#last.set(key, ended);
    if (this.#last.size <= ACCOUNTS_MAX) return;
    const [oldest] = this.#last.keys();
    if (oldest !== undefined) this.#last.delete(oldest);
  }
}

interface Ended {
  readonly head: StatementHead;
  readonly closing: Balance | undefined;
}

interface Open {
  readonly head: StatementHead;
  sum: bigint;
  readonly entry: Span;
  readonly value: Span;
}

/** The first and the last of many days, and where they stand. */
interface Span {
  first: string | undefined;
  last: string | undefined;
  firstLine: number;
  lastLine: number;
}

function newSpan(): Span {
  return { first: undefined, last: undefined, firstLine: 0, lastLine: 0 };
}

function stretch(span: Span, date: string, line: number): void {
  if (span.first === undefined || date < span.first) {
    span.first = date;
    span.firstLine = line;
  }
  if (span.last === undefined || date > span.last) {
    span.last = date;
    span.lastLine = line;
  }
}

function keyOf({ account, currency, format }: StatementHead): string {
  return `${format} ${currency ?? ''} ${account}`;
}

function isSameStatement(a: StatementHead, b: StatementHead): boolean {
  return a.sequence !== undefined && a.sequence === b.sequence && a.page !== undefined && b.page !== undefined;
}

/** Pages of one statement come one after the other, each once. */
function checkPages(previous: Ended | undefined, head: StatementHead, all: StatementPart[]): void {
  if (previous === undefined || !isSameStatement(previous.head, head)) {
    if (previous !== undefined && goesOn(previous)) lastPageMissing(previous, all);
    if (head.opening?.kind !== ':60M:' || (head.page ?? 1) <= 1) return;
    problem(all, 'PageMissing', `${nameOf(head)} begins with page ${head.page ?? 0}: the pages before it are missing`);
    return;
  }
  const wanted = (previous.head.page ?? 0) + 1;
  const page = head.page ?? 0;
  if (page === wanted) return;
  if (page < wanted) problem(all, 'PageDuplicate', `${nameOf(head)} is there twice, or its pages are out of order`);
  else problem(all, 'PageMissing', `${nameOf(head)} goes on with page ${page}: page ${wanted} is missing`);
}

/** An intermediate closing balance says that another page follows. Pages of XML may come in files of their own. */
function goesOn({ closing }: Ended): boolean {
  return closing?.kind === ':62M:';
}

function lastPageMissing({ head }: Ended, all: StatementPart[]): void {
  problem(all, 'PageMissing', `${nameOf(head)} ends with an intermediate balance: the page after it is missing`);
}

/** What one statement closes with, the next one of the account opens with; in files that begin with the newest, too. */
function checkContinuity(previous: Ended, { head, closing }: Ended, all: StatementPart[]): void {
  const before = previous.closing;
  const { opening } = head;
  if (before === undefined || opening === undefined || opening.amount === before.amount) return;
  const isPage = isSameStatement(previous.head, head);
  if (!isPage && closing !== undefined && closing.amount === previous.head.opening?.amount) return;
  problem(
    all,
    isPage ? 'PageBalanceMismatch' : 'OpeningMismatch',
    `${nameOf(head)} opens with ${opening.amount}, and what is before it in the file closes with ${before.amount} ` +
      '(minor units): something between them is missing',
  );
}

function checkCurrency(balance: Balance, head: StatementHead, all: StatementPart[]): void {
  if (balance.currency === undefined || balance.currency === head.currency) return;
  const message = `${nameOf(head)}: the balance ${balance.kind} is of ${balance.currency}, the statement of ${head.currency ?? 'no currency'}`;
  problem(all, 'CurrencyMismatch', message);
}

function checkDates({ head, entry, value }: Open, closing: Balance | undefined, all: StatementPart[]): void {
  const from = head.opening?.date ?? closing?.date;
  const to = closing?.date ?? head.opening?.date;
  if (from === undefined || to === undefined) return;
  if (from > to) problem(all, 'DateImplausible', `${nameOf(head)}: it opens on ${from} and closes before, on ${to}`);
  for (const [span, days, what] of [
    [entry, ENTRY_DAYS_MAX, 'booked'],
    [value, VALUE_DAYS_MAX, 'valued'],
  ] as const) {
    if (span.first === undefined || span.last === undefined) continue;
    const least = from < to ? from : to;
    const most = from < to ? to : from;
    const early = daysBetween(span.first, least) > days;
    if (!early && daysBetween(most, span.last) <= days) continue;
    const [date, line] = early ? [span.first, span.firstLine] : [span.last, span.lastLine];
    const message = `${nameOf(head)}: a line is ${what} on ${date}, its statement is of ${from} to ${to}`;
    problem(all, 'DateImplausible', message, { line });
  }
}

function daysBetween(earlier: string, later: string): number {
  return (Date.parse(later) - Date.parse(earlier)) / 86_400_000;
}

/** Nothing personal: not the account. */
function nameOf({ sequence, page, reference }: StatementHead): string {
  if (sequence !== undefined) return `statement ${sequence}${page === undefined ? '' : `/${page}`}`;
  return reference === undefined ? 'a statement' : `statement ${reference}`;
}

function problem(all: StatementPart[], code: string, message: string, at?: { readonly line: number }): void {
  all.push({ part: 'problem', problem: at === undefined ? { code, message } : { code, message, at } });
}
