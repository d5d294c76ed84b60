/**
 * What a bank or a provider says: statements of accounts and their lines, whatever the format they came in. Text is as it
 * was sent (decoded, nothing trimmed out of it or repaired); amounts are exact.
 */

/** What the bank's file is. */
export type StatementFormat = 'mt940' | 'mt942' | 'camt.052' | 'camt.053' | 'camt.054' | 'csv';

/** Minor units of the currency (ISO 4217 exponent), credit +. Never a float. */
export type SignedMinor = bigint;

export interface Balance {
  readonly amount: SignedMinor;
  /** `2026-11-27`; undefined where the bank gives none. */
  readonly date?: string;
  /** `:60F:`, `:60M:`, `OPBD`, `ITBD` …: as the format names it. */
  readonly kind: string;
  /** Only where it is another one than the statement's. */
  readonly currency?: string;
}

/** The head of one statement (one message, page or `Stmt`), as far as it stands before its lines. */
export interface StatementHead {
  readonly format: StatementFormat;
  /** Account as the bank writes it: an IBAN, `BLZ/number`, or a number. */
  readonly account: string;
  /** Undefined only where neither the file nor the caller says it: then amounts cannot be read, and there are no lines. */
  readonly currency?: string;
  /** The bank's reference of this statement: `:20:`, `Stmt/Id`. */
  readonly reference?: string;
  /** Number of the statement, and of its page: `:28C:`, `ElctrncSeqNb`, `StmtPgntn/PgNb`. */
  readonly sequence?: string;
  readonly page?: number;
  /** Whether no further page follows; undefined where the format or the bank does not say. */
  readonly lastPage?: boolean;
  readonly opening?: Balance;
}

/** One booking, as the bank reports it. The sum of a statement's lines is its closing less its opening balance. */
export interface StatementLine {
  /** Its place among the statement's lines, from 0. */
  readonly index: number;
  readonly valueDate: string;
  /** The booking date; undefined where the bank leaves it out. */
  readonly entryDate?: string;
  readonly amount: SignedMinor;
  /** Only where the bank booked it in another currency than the statement's, which is a problem as well. */
  readonly currency?: string;
  /** It takes back an earlier booking (`RC`, `RD`, `RvslInd`). The sign of `amount` is the effect on the account already. */
  readonly reversal: boolean;
  /** What the account's owner gave as reference: `:61:` subfield 7, `EndToEndId`. `NONREF`, `NOTPROVIDED` as sent; '' if there is none. */
  readonly reference: string;
  /** What the bank gave as reference: after `//` in `:61:`, `AcctSvcrRef`; '' if there is none. */
  readonly bankReference: string;
  /** The remittance text as sent, the lines of it apart by `\n`; '' if there is none. */
  readonly text: string;
  /** What the format gives beside reference and text: `:61:` subfield 9, as sent; absent if there is none. */
  readonly supplementary?: string;
  /** `NTRF`, `PMNT/RCDT/ESCT`: what kind of booking it is, as the format says it. */
  readonly transactionCode?: string;
  /** What structured text says, part by part; absent for text without a structure that is known. */
  readonly details?: LineDetails;
  /** A batch booking: what it is made of. Its amounts are never booked beside the line's own. */
  readonly batch?: readonly BatchPart[];
  /** Where it stands in the file, from 1: for people. */
  readonly at: { readonly line: number };
}

export interface LineDetails {
  /** What it is for, its pieces joined as one text. */
  readonly remittance?: string;
  readonly endToEndId?: string;
  readonly mandateId?: string;
  readonly counterpartyName?: string;
  readonly counterpartyAccount?: string;
  readonly counterpartyBank?: string;
  readonly postingText?: string;
  /** Every reference that the line carries, by the format's own name of it (`EREF`, `InstrId`, `TxId` …). */
  readonly references?: Readonly<Record<string, string>>;
  /** Charges within the line, minor units, positive = taken. */
  readonly charges?: bigint;
}

export interface BatchPart {
  readonly amount: SignedMinor;
  readonly reference: string;
  readonly bankReference: string;
  readonly text: string;
  readonly details?: LineDetails;
}

/** The foot of a statement. */
export interface StatementFoot {
  readonly closing?: Balance;
  /** `:64:`, `:65:`, `CLAV`, `FWAV` …. */
  readonly otherBalances: readonly Balance[];
  /** Statement-level text: `:86:` after the closing balance, `AddtlStmtInf`. */
  readonly text?: string;
  readonly linesCount: number;
  /** Entries that the bank announced and did not book, by its status (`PDNG`, `INFO`): they are no lines. */
  readonly notBookedCounts?: Readonly<Record<string, number>>;
}

/** A check that failed: the file was read, and something in it cannot be right. Nothing is dropped or repaired for it. */
export interface StatementProblem {
  /** `BalanceMismatch`, `PageMissing`, `DateImplausible` …: every code is in docs/statements.md. */
  readonly code: string;
  /** A sentence with the figures, and what to do. Nothing personal in it: no names, no remittance text. */
  readonly message: string;
  readonly at?: { readonly line: number; readonly column?: number };
}

/** What a reader hands over, in the order of the file: a head, its lines, its foot, the next head …; problems where found. */
export type StatementPart =
  | { readonly part: 'head'; readonly head: StatementHead }
  | { readonly part: 'line'; readonly line: StatementLine }
  | { readonly part: 'foot'; readonly foot: StatementFoot }
  | { readonly part: 'problem'; readonly problem: StatementProblem };
