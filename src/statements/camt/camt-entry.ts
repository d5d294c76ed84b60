import type { BatchPart, LineDetails, StatementLine, StatementProblem } from '../statement.ts';
import { StatementUnreadableError } from '../statement-reader.ts';
import { childOf, childrenOf, codeAt, textAt, type XmlNode } from '../xml/xml-tree.ts';
import { amountOf, signed } from './camt-amount.ts';
import { dateIn } from './camt-date.ts';
import { chargesOf, type TransactionDetails } from './camt-details.ts';

/**
 * What `CdtDbtInd` of a reversal says. By ISO 20022 it is the effect on the account, as of every entry. Some banks repeat
 * the sign of the entry that is taken back: then the effect is the opposite. Nothing in a file tells the two apart, only
 * whether its balances come out.
 */
export type ReversalSigns = 'sign-is-effect' | 'sign-is-original';

export interface EntryContext {
  readonly index: number;
  /** Of the statement; undefined where nothing before this entry says it. */
  readonly currency: string | undefined;
  readonly reversals: ReversalSigns;
  /** The day to take for an entry without any. */
  readonly statementDate: string | undefined;
}

export interface CamtEntry {
  readonly line: StatementLine;
  readonly problems: readonly StatementProblem[];
}

/** `BOOK`, `PDNG` …: text up to version 07, a code or a proprietary word since; undefined where it is not said. */
export function entryStatus(node: XmlNode): string | undefined {
  return codeAt(node, 'Sts', 'Cd') ?? codeAt(node, 'Sts', 'Prtry') ?? codeAt(node, 'Sts');
}

/** One `Ntry` is one line, whatever details it has. `transactions`: its `TxDtls`, in their order. */
export function entryOf(node: XmlNode, transactions: readonly TransactionDetails[], context: EntryContext): CamtEntry {
  const problems: StatementProblem[] = [];
  const problem = (code: string, message: string): void => {
    problems.push({ code, message, at: { line: node.line } });
  };
  const amountNode = childOf(node, 'Amt');
  if (amountNode === undefined) {
    throw unreadable(node, 'AmountUnreadable', 'an entry has no amount: ask the bank for the file again');
  }
  const { amount: size, currency } = amountOf(amountNode);
  const reversal = ['true', '1'].includes(codeAt(node, 'RvslInd') ?? '');
  const effect = reversal && context.reversals === 'sign-is-original' ? -1n : 1n;
  const amount = effect * signed(node, size);
  const sign = amount < 0n ? -1n : 1n;
  if (entryStatus(node) === undefined) {
    problem('StatusMissing', `entry ${context.index + 1} does not say whether it is booked: it is taken as booked`);
  }
  const batches = childrenOf(node, 'NtryDtls').flatMap((details) => childrenOf(details, 'Btch'));
  const parts = partsOf(transactions, batches, sign * effect, effect);
  if (parts !== undefined) checkParts(parts, { size, sign, charges: chargesOf(node, currency), batches }, problem);
  const only = parts === undefined ? transactions[0] : undefined;
  if (only?.amount !== undefined && !only.instructed && !explained(only.amount - size, chargesOf(node, currency))) {
    problem('DetailsSumMismatch', `the detail says ${only.amount}, its entry ${size} (minor units): ask the bank`);
  }
  const days = daysOf(node, context.statementDate);
  if (days.assumed) {
    problem('DateMissing', `entry ${context.index + 1} has no date: that of its statement is taken`);
  }
  const code = transactionCodeOf(childOf(node, 'BkTxCd'));
  const details = lineDetails(node, only, currency);
  const batch = parts?.flatMap((part) => (part.amount === undefined ? [] : [{ ...part, amount: part.amount }]));
  const line: StatementLine = {
    index: context.index,
    valueDate: days.value,
    ...(days.booking === undefined ? {} : { entryDate: days.booking }),
    amount,
    ...(currency === (context.currency ?? currency) ? {} : { currency }),
    reversal,
    reference: only === undefined ? batchReference(node, transactions, batches) : ownersReference(only),
    bankReference: codeAt(node, 'AcctSvcrRef') ?? only?.bankReference ?? '',
    text: textOf(node, only),
    ...(code === undefined ? {} : { transactionCode: code }),
    ...(details === undefined ? {} : { details }),
    ...(batch === undefined || batch.length === 0 ? {} : { batch }),
    at: { line: node.line },
  };
  return { line, problems };
}

function unreadable(node: XmlNode, code: string, message: string): StatementUnreadableError {
  return new StatementUnreadableError(code, message, { line: node.line, column: node.column });
}

type Part = Omit<BatchPart, 'amount'> & { readonly amount: bigint | undefined };

/** Undefined for an entry that is one payment: with one detail, and no batch that says it is of more. */
function partsOf(
  transactions: readonly TransactionDetails[],
  batches: readonly XmlNode[],
  entrySign: bigint,
  effect: bigint,
): Part[] | undefined {
  const isBatch = transactions.length > 1 || (transactions.length === 1 && Number(countIn(batches) ?? 1) > 1);
  if (!isBatch) return undefined;
  return transactions.map((one) => ({
    amount: one.amount === undefined ? undefined : one.amount * effect * (one.sign ?? entrySign),
    reference: ownersReference(one),
    bankReference: one.bankReference,
    text: one.text === '' ? one.additional : one.text,
    ...(Object.keys(one.details).length === 0 ? {} : { details: one.details }),
  }));
}

interface Whole {
  readonly size: bigint;
  readonly sign: bigint;
  readonly charges: bigint | undefined;
  readonly batches: readonly XmlNode[];
}

/** The parts must make up the entry: a batch is booked once, as its entry, and never once more for each part. */
function checkParts(parts: readonly Part[], whole: Whole, problem: (code: string, message: string) => void): void {
  const count = countIn(whole.batches);
  if (count !== undefined && count !== BigInt(parts.length)) {
    problem('BatchCountMismatch', `a batch is of ${count} payments and details ${parts.length}: ask the bank`);
  }
  const unknown = parts.filter(({ amount }) => amount === undefined).length;
  if (unknown > 0) {
    problem('BatchAmountMissing', `${unknown} of ${parts.length} details of a batch have no amount in its currency`);
    return;
  }
  const sum = parts.reduce((all, { amount = 0n }) => all + amount, 0n);
  if (!explained(sum * whole.sign - whole.size, whole.charges)) {
    const said = whole.size * whole.sign;
    problem(
      'DetailsSumMismatch',
      `the parts of a batch add up to ${sum}, its entry is ${said} (minor units): ask the bank`,
    );
  }
}

/** A difference is right where it is the charges that were taken before the booking. */
function explained(difference: bigint, charges: bigint | undefined): boolean {
  return difference === 0n || (charges !== undefined && (difference === charges || difference === -charges));
}

function countIn(batches: readonly XmlNode[]): bigint | undefined {
  let sum: bigint | undefined;
  for (const batch of batches) {
    const count = codeAt(batch, 'NbOfTxs');
    if (count !== undefined && /^\d{1,15}$/.test(count)) sum = (sum ?? 0n) + BigInt(count);
  }
  return sum;
}

/** The value date; where the bank gives none, the booking date; where it gives neither, the statement's, as a problem. */
function daysOf(
  node: XmlNode,
  statementDate: string | undefined,
): { readonly value: string; readonly booking: string | undefined; readonly assumed: boolean } {
  const booking = dateIn(childOf(node, 'BookgDt'));
  const value = dateIn(childOf(node, 'ValDt')) ?? booking;
  if (value !== undefined) return { value, booking, assumed: false };
  if (statementDate !== undefined) return { value: statementDate, booking, assumed: true };
  throw unreadable(node, 'DateMissing', 'an entry has no date, and neither has its statement: ask the bank');
}

/** `PMNT/RCDT/ESCT`; where the bank has only a word of its own, that. */
function transactionCodeOf(node: XmlNode | undefined): string | undefined {
  const domain = childOf(node, 'Domn');
  const codes = [codeAt(domain, 'Cd'), codeAt(domain, 'Fmly', 'Cd'), codeAt(domain, 'Fmly', 'SubFmlyCd')];
  const code = codes.filter((one) => one !== undefined).join('/');
  return code === '' ? codeAt(node, 'Prtry', 'Cd') : code;
}

/** What the owner gave: for the whole payment, else to the bank alone, else to the batch that it was sent in. */
function ownersReference({ endToEndId, references }: TransactionDetails): string {
  if (endToEndId !== '') return endToEndId;
  return references['InstrId'] ?? references['PmtInfId'] ?? '';
}

function batchReference(
  node: XmlNode,
  transactions: readonly TransactionDetails[],
  batches: readonly XmlNode[],
): string {
  if (transactions.length === 0 && batches.length === 0) return '';
  for (const name of ['PmtInfId', 'MsgId']) {
    for (const batch of batches) {
      const said = textAt(batch, name);
      if (said !== undefined) return said;
    }
    const common = transactions[0]?.references[name];
    if (common !== undefined && transactions.every(({ references }) => references[name] === common)) return common;
  }
  return textAt(node, 'NtryRef') ?? '';
}

function textOf(node: XmlNode, only: TransactionDetails | undefined): string {
  if (only !== undefined && only.text !== '') return only.text;
  if (only !== undefined && only.additional !== '') return only.additional;
  return textAt(node, 'AddtlNtryInf') ?? '';
}

function lineDetails(node: XmlNode, only: TransactionDetails | undefined, currency: string): LineDetails | undefined {
  const ofEntry: [string, string | undefined][] = [
    ['NtryRef', textAt(node, 'NtryRef')],
    ['BkTxCd/Prtry', textAt(node, 'BkTxCd', 'Prtry', 'Cd')],
  ];
  const references = Object.fromEntries([
    ...Object.entries(only?.references ?? {}),
    ...ofEntry.filter((pair): pair is [string, string] => pair[1] !== undefined),
  ]);
  const posting = textAt(node, 'AddtlNtryInf');
  const charges = chargesOf(node, currency) ?? only?.details.charges;
  const details: LineDetails = {
    ...only?.details,
    ...(posting === undefined || posting === textOf(node, only) ? {} : { postingText: posting }),
    ...(Object.keys(references).length === 0 ? {} : { references }),
    ...(charges === undefined ? {} : { charges }),
  };
  return Object.keys(details).length === 0 ? undefined : details;
}
