/** What the daily report is made of. Amounts are minor units; signed ones are credit +, as the bank says it. */
export const ages = ['0-1', '2-7', '>7'] as const;
/** Days since the line was booked. */
export type Age = (typeof ages)[number];

export interface CountedAmount {
  readonly count: number;
  /** Without sign, added up. */
  readonly amount: bigint;
}

/** An account at a provider on the day. */
export interface AccountFigures {
  readonly profile: string;
  /** A keyed hash: the number itself is with the statements. */
  readonly account: string;
  readonly currency: string;
  /** Credits and debits of the day that are no fees, both positive. */
  readonly in: bigint;
  readonly out: bigint;
  /** What the provider took for itself by lines of its own, positive. */
  readonly fees: bigint;
  readonly matched: CountedAmount;
  readonly known: CountedAmount;
  /** Up to the day: lines without a match, or in a mismatch. */
  readonly open: Readonly<Record<Age, CountedAmount>>;
}

/** What we have at a provider, and why the ledger and the statement differ. */
export interface PositionFigures {
  readonly profile: string;
  readonly currency: string;
  /** What the statements say; undefined where none came. */
  readonly opening?: bigint;
  readonly closing?: bigint;
  /** Of the ledger: what we have there, what they owe us, what we owe through them. */
  readonly float: bigint;
  readonly receivable: bigint;
  readonly payable: bigint;
  /** Lines that the ledger has not booked, signed. */
  readonly unbooked: CountedAmount & { readonly net: bigint };
  /** Payments that the ledger has settled and no line shows yet, signed. */
  readonly unseen: CountedAmount & { readonly net: bigint };
}

export interface ReportFigures {
  /** `2026-11-27` */
  readonly date: string;
  /** When they were asked for, ISO 8601: balances of the ledger, and what is matched, are of then. */
  readonly asOf: string;
  readonly accounts: readonly AccountFigures[];
  readonly positions: readonly PositionFigures[];
}

export function ageOf(days: number): Age {
  return days <= 1 ? '0-1' : days <= 7 ? '2-7' : '>7';
}
