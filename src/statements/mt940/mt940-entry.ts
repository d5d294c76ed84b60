import { amountLength, amountOf, dateOf, entryDateOf, unreadable, type Place } from './mt940-values.ts';

/** A statement line as `:61:` gives it, without its text. */
export interface Mt940Entry {
  readonly valueDate: string;
  readonly entryDate: string | undefined;
  readonly amount: bigint;
  /** The account would be credited by it, were it no reversal: `C` and `RC`. */
  readonly creditMark: boolean;
  readonly reversal: boolean;
  /** `EC`, `ED` of an MT942: announced, not booked. */
  readonly expected: boolean;
  readonly fundsCode: string;
  readonly transactionCode: string;
  readonly reference: string;
  readonly bankReference: string;
  /** Subfield 9: the lines below, as sent. */
  readonly supplementary: string;
}

const CODE_LENGTH = 4;
const COLUMN = 5;
const TRANSACTION_CODE = /^[A-Z][A-Z0-9 ]{3}/;

/**
 * Reads `:61:`. Subfields: value date, entry date or blanks or nothing, mark, funds code, amount, transaction type,
 * reference, `//` and the bank's reference, and supplementary details on the lines below.
 *
 * A mark R takes back: RC is a credit taken back, so the account is debited, and RD the other way round.
 */
export function mt940Entry(
  value: string,
  below: readonly string[],
  currency: string,
  line: number,
  problem: (code: string, message: string, at: Place) => void,
): Mt940Entry {
  const valueDate = dateOf(value, 0);
  if (valueDate === undefined) {
    throw unreadable('DateUnreadable', 'a value date is wanted, YYMMDD, of a day that the calendar has', {
      line,
      column: COLUMN,
    });
  }
  let i = 6;
  let entryDate: string | undefined;
  if (isDigit(value, 6)) {
    entryDate = entryDateOf(value, 6, valueDate);
    i = 10;
    if (!isDigit(value, 7) || !isDigit(value, 8) || !isDigit(value, 9)) {
      throw unreadable('DateUnreadable', 'an entry date is wanted, MMDD', { line, column: COLUMN + 6 });
    }
    if (entryDate === undefined) {
      problem('DateInvalid', `the entry date is no day: ${value.slice(6, 10)}`, { line, column: COLUMN + 6 });
    }
  }
  while (value.charCodeAt(i) === SPACE) i++;

  const markAt = i;
  const first = value.charAt(i);
  const prefix = first === 'R' || first === 'E' ? first : '';
  if (prefix !== '') i++;
  const mark = value.charAt(i);
  if (mark !== 'C' && mark !== 'D') {
    throw unreadable('MarkUnreadable', 'C, D, RC, RD, EC or ED is wanted', { line, column: COLUMN + markAt });
  }
  i++;
  let fundsCode = '';
  if (isCapital(value, i)) {
    fundsCode = value.charAt(i);
    i++;
  }
  while (value.charCodeAt(i) === SPACE) i++;

  // Some banks break the line here, and some anywhere later.
  let skipped = 0;
  let source = value;
  let at: Place = { line, column: COLUMN + i };
  if (i === value.length && below.length > 0) {
    source = below[0] ?? '';
    skipped = 1;
    i = 0;
    at = { line: line + 1, column: 1 };
  }
  const length = amountLength(source, i);
  const size = amountOf(source.slice(i, i + length), currency, at);
  i += length;
  const after = source.charAt(i);
  if (after !== '' && !isCapital(source, i)) {
    throw unreadable('AmountUnreadable', 'an amount is followed by a transaction type', {
      line: at.line,
      column: at.column + length,
    });
  }
  const hasCode = TRANSACTION_CODE.test(source.slice(i, i + CODE_LENGTH));
  const transactionCode = hasCode ? source.slice(i, i + CODE_LENGTH) : '';
  if (hasCode) i += CODE_LENGTH;
  else if (after !== '') problem('TransactionTypeMissing', 'the amount is not followed by a transaction type', at);

  const slashes = source.indexOf('//', i);
  const reference = slashes === -1 ? source.slice(i) : source.slice(i, slashes);
  let bankReference = slashes === -1 ? '' : source.slice(slashes + 2);
  if (slashes === -1 && below.length > skipped && (below[skipped] ?? '').startsWith('//')) {
    bankReference = (below[skipped] ?? '').slice(2);
    skipped += 1;
  }
  const reversal = prefix === 'R';
  return {
    valueDate,
    entryDate,
    amount: (mark === 'C') === reversal ? -size : size,
    creditMark: mark === 'C',
    reversal,
    expected: prefix === 'E',
    fundsCode,
    transactionCode: transactionCode.trimEnd(),
    reference: reference.trimEnd(),
    bankReference: bankReference.trimEnd(),
    supplementary: below.length > skipped ? below.slice(skipped).join('\n') : '',
  };
}

const SPACE = 0x20;

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

function isCapital(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x41 && code <= 0x5a;
}
