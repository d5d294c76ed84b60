import type { AccountFigures, PositionFigures, ReportFigures } from './figures.ts';

export interface AccountReport extends AccountFigures {
  /** Opening and what came and went, less what the statement closes with: 0, or lines are missing. */
  readonly turnoverDifference?: bigint;
}

export interface PositionReport extends PositionFigures {
  /** Of all its accounts together; undefined where the balance of one of them is not known. */
  readonly opening?: bigint;
  readonly closing?: bigint;
  /** Float less the statement's closing balance. */
  readonly difference?: bigint;
  /** What of it open items explain, and what nothing does. */
  readonly explained: bigint;
  readonly unexplained?: bigint;
  /** Receivable and payable less the payments that wait to be settled. */
  readonly receivableUnexplained: bigint;
  readonly payableUnexplained: bigint;
  /** What the statement closes with when everything that waits is settled, without fees. */
  readonly closingExpected?: bigint;
}

export interface DailyReport {
  readonly date: string;
  readonly asOf: string;
  readonly accounts: readonly AccountReport[];
  readonly positions: readonly PositionReport[];
}

/**
 * The report from its figures. What the ledger settled and the bank does not show makes the float greater than the statement,
 * and so does what it booked of later days; what the bank shows and the ledger has not booked makes it smaller. What is left
 * after all three has to be looked for.
 */
export function dailyReport({ date, asOf, accounts, positions }: ReportFigures): DailyReport {
  const key = (one: { readonly profile: string; readonly currency: string }): string =>
    `${one.profile} ${one.currency}`;
  return {
    date,
    asOf,
    accounts: accounts
      .map(accountOf)
      .sort(
        (a, b) => compare(key(a), key(b)) || compare(a.last4 ?? '', b.last4 ?? '') || compare(a.account, b.account),
      ),
    positions: positions
      .map((position) =>
        positionOf(
          position,
          accounts.filter((one) => key(one) === key(position)),
        ),
      )
      .sort((a, b) => compare(key(a), key(b))),
  };
}

function accountOf(account: AccountFigures): AccountReport {
  const { opening, closing, in: credits, out, fees } = account;
  if (opening === undefined || closing === undefined) return account;
  return { ...account, turnoverDifference: opening + credits - out - fees - closing };
}

function positionOf(position: PositionFigures, accounts: readonly AccountFigures[]): PositionReport {
  const { float, receivable, payable, unbooked, later, unseen, awaited } = position;
  const [opening, closing] = [allOf(accounts.map((one) => one.opening)), allOf(accounts.map((one) => one.closing))];
  const explained = unseen.net + later.net - unbooked.net;
  return {
    ...position,
    ...(opening !== undefined && { opening }),
    ...(closing !== undefined && { closing }),
    explained,
    ...(closing !== undefined && {
      difference: float - closing,
      unexplained: float - closing - explained,
      closingExpected: closing + explained + receivable - payable,
    }),
    receivableUnexplained: receivable - awaited.in.amount,
    payableUnexplained: payable - awaited.out.amount,
  };
}

/** A sum of which a part is not known is not known. */
function allOf(amounts: readonly (bigint | undefined)[]): bigint | undefined {
  if (amounts.length === 0) return undefined;
  return amounts.reduce((sum, one) => (sum === undefined || one === undefined ? undefined : sum + one));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
