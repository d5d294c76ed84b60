import type { StatementHead, StatementLine } from '../../statements/index.ts';
import type { StatementTerms } from './ports.ts';
import type { LineSeal } from './statement-keys.ts';

/** A line as it is stored: what is personal sealed, what must be found hashed. */
export interface LineRecord {
  readonly ordinal: number;
  readonly file_line: number;
  readonly statement_date: string;
  readonly value_date: string;
  readonly entry_date: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly reversal: boolean;
  readonly transaction_code: string | null;
  readonly reference: string | null;
  readonly reference_hashes: readonly string[];
  readonly account_hash: string;
  readonly account_last4: string;
  readonly statement_sequence: string | null;
  readonly statement_page: number | null;
  readonly identity: string;
  readonly statement: string;
  readonly series: 'booked' | 'intraday';
  /** Which one of those that are alike it is, is counted in its statement alone. */
  readonly by_itself: boolean;
  /** In base64. */
  readonly sealed: string;
}

/** What of a line is personal, or may be. */
export interface SealedFields {
  readonly account: string;
  readonly reference: string;
  readonly bankReference: string;
  readonly text: string;
  readonly supplementary?: string;
  readonly details?: unknown;
  readonly batch?: unknown;
}

export interface RecordGround {
  readonly rawStatementId: string;
  readonly hash: (kind: string, text: string) => string;
  readonly lines: LineSeal;
  readonly terms: Pick<StatementTerms, 'bankReferencesUnique' | 'reports'>;
}

/** Words that say that there is no reference. */
const NO_REFERENCE = /^(NONREF|NOTPROVIDED|NOT PROVIDED|)$/i;

/** Formats whose statements are complete and come once: every line of each is booked. */
const BOOKED = new Set(['mt940', 'camt.053']);

/** Where a line's sealed part belongs: opened elsewhere it is refused. */
export function placeOf(rawStatementId: string, ordinal: number): string {
  return `bank_statement_lines/${rawStatementId}/${ordinal}`;
}

/** The hash by which a reference is found; undefined where it says that there is none. Exact but for blanks around it. */
export function referenceHash(hash: RecordGround['hash'], reference: string): string | undefined {
  const text = reference.trim();
  return NO_REFERENCE.test(text) ? undefined : hash('reference', text);
}

/** By which a person knows an account. */
export function last4Of(account: string): string {
  return account.replaceAll(/[^A-Za-z0-9]/g, '').slice(-4);
}

/** @param statement number of the head in the file, from 0 */
export function recordOf(
  { rawStatementId, hash, lines, terms }: RecordGround,
  head: StatementHead,
  statement: number,
  line: StatementLine,
  ordinal: number,
): LineRecord {
  const { account, format, sequence, page, opening } = head;
  const currency = line.currency ?? head.currency ?? '';
  const amount = line.amount.toString();
  const booked = BOOKED.has(format);
  const bankReference = line.bankReference.trim();
  const isById = terms.bankReferencesUnique && !NO_REFERENCE.test(bankReference);
  const parts = isById
    ? ['id', account, currency, bankReference, amount]
    : ['like', account, currency, line.valueDate, amount, line.reference.trim()];
  // A report that holds the day so far counts by itself; so does what the bank's own id makes one.
  const byItself = isById || (!booked && terms.reports === 'cumulative');
  const statementParts = byItself
    ? [rawStatementId, statement]
    : [format, account, currency, head.reference, sequence, page, opening?.amount.toString(), opening?.date];
  const fields: SealedFields = {
    account,
    reference: line.reference,
    bankReference: line.bankReference,
    text: line.text,
    ...(line.supplementary !== undefined && { supplementary: line.supplementary }),
    ...(line.details && { details: line.details }),
    ...(line.batch && { batch: line.batch }),
  };
  return {
    ordinal,
    file_line: line.at.line,
    statement_date: line.entryDate ?? line.valueDate,
    value_date: line.valueDate,
    entry_date: line.entryDate ?? null,
    amount,
    currency,
    reversal: line.reversal,
    transaction_code: line.transactionCode ?? null,
    reference: referenceHash(hash, line.reference) ?? null,
    reference_hashes: [...new Set(referencesOf(line).flatMap((reference) => referenceHash(hash, reference) ?? []))],
    account_hash: hash('account', account),
    account_last4: last4Of(account),
    statement_sequence: sequence ?? null,
    statement_page: page ?? null,
    identity: hash('line', JSON.stringify(parts)),
    statement: hash('statement', JSON.stringify(statementParts)),
    series: booked ? 'booked' : 'intraday',
    by_itself: byItself,
    sealed: lines.seal(JSON.stringify(fields, bigintAsText), placeOf(rawStatementId, ordinal)).toString('base64'),
  };
}

/** Every reference that a line carries, those of a batch's parts among them. */
function referencesOf({ reference, bankReference, details, batch = [] }: StatementLine): string[] {
  return [
    { reference, bankReference, details },
    ...batch.map((part) => ({ reference: part.reference, bankReference: part.bankReference, details: part.details })),
  ].flatMap((one) => [
    one.reference,
    one.bankReference,
    one.details?.endToEndId ?? '',
    ...Object.values(one.details?.references ?? {}),
  ]);
}

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
