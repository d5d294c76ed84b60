import { AMOUNT_DIGITS_MAX } from '../../kernel/money.ts';
import { decimalsOf } from '../statement-currency.ts';
import { StatementUnreadableError } from '../statement-reader.ts';

/** A place in the file, from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export function unreadable(code: string, message: string, at: Place): StatementUnreadableError {
  return new StatementUnreadableError(code, message, at);
}

/** What `text` is from a place on that looks like an amount: digits, and the marks that banks write into them. */
export function amountLength(text: string, from: number): number {
  let to = from;
  for (; to < text.length; to++) {
    const code = text.charCodeAt(to);
    if (!(code >= DIGIT_0 && code <= DIGIT_9) && code !== COMMA && code !== POINT) break;
  }
  return to - from;
}

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COMMA = 0x2c;
const POINT = 0x2e;

/**
 * An amount in minor units, exact. SWIFT writes a decimal comma, always: `100,` is a hundred. Some banks write a point.
 * Zeros behind the currency's decimals say nothing and are taken after a comma (`1000,00` JPY); after a point they could
 * be thousands, and are refused as all other decimals too many are. Nothing is rounded.
 */
export function amountOf(text: string, currency: string, at: Place): bigint {
  const decimals = decimalsOf(currency);
  if (decimals === undefined) throw unreadable('CurrencyUnknown', 'the currency is none of ISO 4217', at);
  let mark = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= DIGIT_0 && code <= DIGIT_9) continue;
    if (mark !== -1 || (code !== COMMA && code !== POINT)) throw notAnAmount(at, i);
    mark = i;
  }
  if (text === '' || mark === 0) throw notAnAmount(at, 0);
  if (text.length > AMOUNT_DIGITS_MAX)
    throw unreadable('AmountUnreadable', 'an amount of more digits than any sum has', at);
  const whole = mark === -1 ? text : text.slice(0, mark);
  let fraction = mark === -1 ? '' : text.slice(mark + 1);
  if (fraction.length > decimals) {
    const more = fraction.slice(decimals);
    if (text.charCodeAt(mark) === POINT || /[^0]/.test(more)) {
      throw unreadable('AmountTooPrecise', `${currency} has ${decimals} decimals, the amount ${fraction.length}`, at);
    }
    fraction = fraction.slice(0, decimals);
  }
  const digits = whole + fraction.padEnd(decimals, '0');
  // Exact below 2^53, and much faster than reading a bigint.
  return digits.length <= 15 ? BigInt(Number(digits)) : BigInt(digits);
}

function notAnAmount(at: Place, offset: number): StatementUnreadableError {
  return unreadable('AmountUnreadable', 'an amount is wanted, as 1234,56', {
    line: at.line,
    column: at.column + offset,
  });
}

/** `110524` as a day; undefined where the calendar has none. Years 80 to 99 are those of 19xx. */
export function dateOf(text: string, from: number): string | undefined {
  const year = twoDigits(text, from);
  const month = twoDigits(text, from + 2);
  const day = twoDigits(text, from + 4);
  if (year === -1) return undefined;
  return isoDate(year >= 80 ? 1900 + year : 2000 + year, month, day);
}

/**
 * The entry date has no year: it is the one that brings it nearest to the value date, over the turn of the year in both
 * directions. Undefined where no year near it has the day.
 */
export function entryDateOf(text: string, from: number, valueDate: string): string | undefined {
  const month = twoDigits(text, from);
  const day = twoDigits(text, from + 2);
  const valueYear = Number(valueDate.slice(0, 4));
  const distance = month - Number(valueDate.slice(5, 7));
  return isoDate(distance > 6 ? valueYear - 1 : distance < -6 ? valueYear + 1 : valueYear, month, day);
}

function twoDigits(text: string, at: number): number {
  const high = text.charCodeAt(at) - DIGIT_0;
  const low = text.charCodeAt(at + 1) - DIGIT_0;
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : -1;
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isoDate(year: number, month: number, day: number): string | undefined {
  const days = MONTH_DAYS[month - 1];
  if (days === undefined || day < 1) return undefined;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > days + (leap ? 1 : 0)) return undefined;
  return `${year}-${month < 10 ? '0' : ''}${month}-${day < 10 ? '0' : ''}${day}`;
}
