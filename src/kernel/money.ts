import { exponentOf } from './currencies.ts';

/**
 * Money is a `bigint` of minor units in memory and a decimal string of them on the wire and in the log. People write
 * decimal amounts ("700.00" CZK); these are read and written only at the edges, by the functions below.
 */

/** Why a text is not an amount. A value, not an exception: amounts come from outside. */
export interface AmountError {
  readonly error: 'NotAnAmount' | 'TooLong' | 'UnknownCurrency' | 'TooPrecise';
  readonly message: string;
}

/** More digits than any sum of money has; bounds the work that a text from outside can cause. */
export const AMOUNT_DIGITS_MAX = 30;
/** The greatest amount: 30 digits of minor units. */
export const AMOUNT_MAX = 10n ** BigInt(AMOUNT_DIGITS_MAX) - 1n;

const MINOR = /^-?(?:0|[1-9][0-9]*)$/;
const DECIMAL = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;

/**
 * Reads minor units: "70000" → 70000n. No sign but a leading minus, no leading zeros, no exponent, no "-0", at most 30
 * digits: every amount has exactly one text, so equal amounts have equal fingerprints.
 */
export function parseMinor(text: string): bigint | AmountError {
  if (text.length > AMOUNT_DIGITS_MAX + 1) return tooLong;
  if (!MINOR.test(text) || text === '-0') return notAnAmount(text);
  return bounded(BigInt(text));
}

/**
 * Reads a decimal amount in the currency's exponent: "700.00" CZK → 70000n, "700" CZK → 70000n, "700" XOF → 700n.
 * Fewer decimals than the currency has are filled with zeros; more are refused, even zeros: "1.000" is a thousand
 * somewhere, and money is not guessed.
 */
export function parseDecimal(text: string, currency: string): bigint | AmountError {
  const exponent = exponentOf(currency);
  if (exponent === undefined) return { error: 'UnknownCurrency', message: `no currency of ISO 4217: ${currency}` };
  if (text.length > AMOUNT_DIGITS_MAX + 2) return tooLong;
  const [, sign, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return notAnAmount(text);
  if (fraction.length > exponent) {
    return { error: 'TooPrecise', message: `${currency} has ${exponent} decimals, not ${fraction.length}: ${text}` };
  }
  const minor = BigInt(whole + fraction.padEnd(exponent, '0'));
  return bounded(sign === '-' ? -minor : minor);
}

/** Writes minor units: 70000n → "70000". */
export function formatMinor(amount: bigint): string {
  return amount.toString();
}

/** Writes a decimal amount with all decimals of the currency: 70000n CZK → "700.00". The currency must be known. */
export function formatDecimal(amount: bigint, currency: string): string {
  const exponent = exponentOf(currency);
  if (exponent === undefined) throw new RangeError(`no currency of ISO 4217: ${currency}`);
  if (exponent === 0) return amount.toString();
  const digits = (amount < 0n ? -amount : amount).toString().padStart(exponent + 1, '0');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

function bounded(amount: bigint): bigint | AmountError {
  return amount > AMOUNT_MAX || amount < -AMOUNT_MAX ? tooLong : amount;
}

const tooLong: AmountError = { error: 'TooLong', message: `more than ${AMOUNT_DIGITS_MAX} digits` };

function notAnAmount(text: string): AmountError {
  return { error: 'NotAnAmount', message: `not an amount: ${JSON.stringify(text)}` };
}
