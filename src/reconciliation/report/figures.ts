/** What the daily report is made of. Amounts are minor units; signed ones are credit +, as the bank says it. */
export const ages = ['0-1', '2-7', '>7'] as const;
/** Days since the line was booked. */
export type Age = (typeof ages)[number];

export interface CountedAmount {
  readonly count: number;
  /** Without sign, added up. */
  readonly amount: bigint;
}

/** With the sum of the signed amounts too. */
export interface CountedNet extends CountedAmount {
  readonly net: bigint;
}

/** What statements say that an account opened and closed a day with. Undefined: none says it, and nobody knows. */
export interface StatedBalances {
  readonly opening?: bigint;
  readonly closing?: bigint;
  /** The earlier day that the closing balance is of, where nothing was booked since. */
  readonly closingDay?: string;
}

/** An account at a provider on the day. */
export interface AccountFigures extends StatedBalances {
  readonly profile: string;
  /** A keyed hash: the number itself is with the statements. */
  readonly account: string;
  /** Its last characters, by which a person knows it; undefined: no statement of it is known. */
  readonly last4?: string;
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
  /** Of the ledger, now: what we have there, what they owe us, what we owe through them. */
  readonly float: bigint;
  readonly receivable: bigint;
  readonly payable: bigint;
  /** Lines up to the day that the ledger has not booked. */
  readonly unbooked: CountedNet;
  /** Lines of later days that it has booked. */
  readonly later: CountedNet;
  /** Payments that it has settled and no line shows yet. */
  readonly unseen: CountedNet;
  /** Payments that wait to be settled: what receivable and payable should be made of. */
  readonly awaited: { readonly in: CountedAmount; readonly out: CountedAmount };
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
