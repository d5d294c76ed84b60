import type { Balance } from '../statement.ts';
import { amountOf, dateOf, unreadable, type Place } from './mt940-values.ts';

/** `:60F:`, `:62F:` and their like, in pieces: `C110522EUR3236,28`. */
export interface BalanceField {
  readonly kind: string;
  readonly debit: boolean;
  readonly dateText: string;
  readonly currency: string | undefined;
  readonly amountText: string;
  readonly at: Place;
  /** Of the amount. */
  readonly amountAt: Place;
}

const BALANCE = /^\s*([CD])(\d{6})?\s*([A-Z]{3})?\s*(\S.*?)\s*$/;

/** Takes a balance apart. `tag` without its colons; some banks leave the currency out. */
export function balanceField(tag: string, value: string, line: number): BalanceField {
  const column = tag.length + 3;
  const [, mark, dateText = '', currency, amountText] = BALANCE.exec(value) ?? [];
  if (mark === undefined || amountText === undefined) {
    throw unreadable('BalanceUnreadable', `:${tag}: is wanted as C110522EUR3236,28`, { line, column });
  }
  return {
    kind: `:${tag}:`,
    debit: mark === 'D',
    dateText,
    currency,
    amountText,
    at: { line, column },
    amountAt: { line, column: column + value.lastIndexOf(amountText) },
  };
}

/** The balance in a currency; a day that the calendar does not have is left out, and told. */
export function balanceOf(
  field: BalanceField,
  statementCurrency: string,
  problem: (code: string, message: string, at: Place) => void,
): Balance {
  const currency = field.currency ?? statementCurrency;
  const size = amountOf(field.amountText, currency, field.amountAt);
  const date = dateOf(field.dateText, 0);
  if (date === undefined && field.dateText !== '') {
    problem('DateInvalid', `${field.kind} has a date that no calendar has: ${field.dateText}`, field.at);
  }
  return {
    amount: field.debit ? -size : size,
    kind: field.kind,
    ...(date === undefined ? {} : { date }),
    ...(currency === statementCurrency ? {} : { currency }),
  };
}
