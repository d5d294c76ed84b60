import { exponentOf } from '../../kernel/currencies.ts';
import { AMOUNT_DIGITS_MAX } from '../../kernel/money.ts';
import type { SignedMinor } from '../statement.ts';
import { StatementUnreadableError } from '../statement-reader.ts';
import { childOf, codeAt, type XmlNode } from '../xml/xml-tree.ts';

/** An amount of a message: without a sign, in its currency's minor units. */
export interface CamtAmount {
  readonly amount: bigint;
  readonly currency: string;
}

/** xs:decimal without its sign: `1`, `1.00`, `01.00`, `.5`, `1.`. A comma is none of it. */
const DECIMAL = /^\+?([0-9]*)(?:\.([0-9]*))?$/;

/** `Amt`: more decimals than the currency has are read where they are zeros, and are otherwise an error: never rounded. */
export function amountOf(node: XmlNode): CamtAmount {
  const currency = node.currency?.trim() ?? '';
  const exponent = exponentOf(currency);
  if (exponent === undefined) {
    throw unreadable(node, 'CurrencyUnknown', 'an amount has no currency of ISO 4217 in its attribute Ccy');
  }
  const [whole, digits = '', fraction = ''] = DECIMAL.exec(node.text.trim()) ?? [];
  if (whole === undefined || digits + fraction === '' || digits.length + fraction.length > AMOUNT_DIGITS_MAX) {
    throw unreadable(node, 'AmountUnreadable', 'an amount is not written as 1234.56 and without a sign');
  }
  const beyond = fraction.slice(exponent);
  if (/[1-9]/.test(beyond)) {
    throw unreadable(node, 'AmountUnreadable', `an amount has more decimals than the ${exponent} of ${currency}`);
  }
  return { amount: BigInt(digits + fraction.slice(0, exponent).padEnd(exponent, '0')), currency };
}

export function amountAt(node: XmlNode | undefined, ...path: readonly string[]): CamtAmount | undefined {
  let found = node;
  for (const name of path) found = childOf(found, name);
  return found === undefined ? undefined : amountOf(found);
}

/** By `CdtDbtInd`, which is beside the amount in `node`: credit +, debit −. Without it nobody knows the sign. */
export function signed(node: XmlNode, amount: bigint): SignedMinor {
  const sign = signOf(node);
  if (sign === undefined) {
    throw unreadable(node, 'SignMissing', `${node.name} has no CdtDbtInd of CRDT or DBIT: its sign is not known`);
  }
  return sign * amount;
}

/** Undefined where there is no `CdtDbtInd` in `node`, or one that says neither. */
export function signOf(node: XmlNode | undefined): 1n | -1n | undefined {
  const said = codeAt(node, 'CdtDbtInd');
  return said === 'CRDT' ? 1n : said === 'DBIT' ? -1n : undefined;
}

function unreadable(node: XmlNode, code: string, message: string): StatementUnreadableError {
  return new StatementUnreadableError(code, `${message}: ask the bank for it again`, {
    line: node.line,
    column: node.column,
  });
}
