import type { AccountFigures, PositionFigures, ReportFigures } from './figures.ts';

export interface PositionReport extends PositionFigures {
  /** Opening and what came and went, less what the statement closes with: 0, or lines are missing. */
  readonly turnoverDifference?: bigint;
  /** Float less the statement's closing balance. */
  readonly difference?: bigint;
  /** What of it open items explain, and what nothing does. */
  readonly explained?: bigint;
  readonly unexplained?: bigint;
}

export interface DailyReport {
  readonly date: string;
  readonly asOf: string;
  readonly accounts: readonly AccountFigures[];
  readonly positions: readonly PositionReport[];
}

/**
 * The report from its figures. What the ledger settled and the bank does not show makes the float greater than the statement;
 * what the bank shows and the ledger has not booked makes it smaller. What is left after both has to be looked for.
 */
export function dailyReport({ date, asOf, accounts, positions }: ReportFigures): DailyReport {
  const key = (one: { readonly profile: string; readonly currency: string }): string =>
    `${one.profile} ${one.currency}`;
  return {
    date,
    asOf,
    accounts: [...accounts].sort((a, b) => compare(key(a), key(b)) || compare(a.account, b.account)),
    positions: positions
      .map((position) =>
        reportOf(
          position,
          accounts.filter((one) => key(one) === key(position)),
        ),
      )
      .sort((a, b) => compare(key(a), key(b))),
  };
}

function reportOf(position: PositionFigures, accounts: readonly AccountFigures[]): PositionReport {
  const { opening, closing, float, unbooked, unseen } = position;
  const turnover = accounts.reduce((sum, one) => sum + one.in - one.out - one.fees, 0n);
  const explained = unseen.net - unbooked.net;
  return {
    ...position,
    ...(opening !== undefined && closing !== undefined && { turnoverDifference: opening + turnover - closing }),
    ...(closing !== undefined && {
      difference: float - closing,
      explained,
      unexplained: float - closing - explained,
    }),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
