import { formatDecimal } from '../../kernel/money.ts';
import { csvLine } from '../cases/csv.ts';
import type { AccountReport, DailyReport, PositionReport } from './daily-report.ts';
import { ages, type CountedAmount } from './figures.ts';

/** JSON of the report: amounts as text, in minor units. What is not known is absent. */
export function reportJson(report: DailyReport): object {
  return JSON.parse(
    JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  ) as object;
}

/** How a person knows an account. */
export function accountName({ account, last4 }: Pick<AccountReport, 'account' | 'last4'>): string {
  return last4 === undefined ? `not named (${account.slice(0, 8)}…)` : `…${last4}`;
}

/** What is not known is said to be: an empty cell would be taken for nothing. */
export const UNKNOWN = 'unknown';

type Column<Row> = readonly [title: string, cell: (row: Row) => string];

function amount<Row extends { readonly currency: string }>(
  title: string,
  of: (row: Row) => bigint | undefined,
): Column<Row> {
  return [
    title,
    (row) => {
      const value = of(row);
      return value === undefined ? UNKNOWN : formatDecimal(value, row.currency);
    },
  ];
}

const balanceColumns: readonly Column<PositionReport>[] = [
  ['Provider', ({ profile }) => profile],
  ['Currency', ({ currency }) => currency],
  amount('Opening', ({ opening }) => opening),
  amount('Closing', ({ closing }) => closing),
  amount('Float', ({ float }) => float),
  amount('Float less closing', ({ difference }) => difference),
  amount('Settled and not on a statement', ({ unseen }) => unseen.net),
  amount('Booked of later days', ({ later }) => later.net),
  amount('On a statement and not booked', ({ unbooked }) => unbooked.net),
  amount('Explained', ({ explained }) => explained),
  amount('Unexplained', ({ unexplained }) => unexplained),
  amount('Receivable', ({ receivable }) => receivable),
  amount('Receivable unexplained', ({ receivableUnexplained }) => receivableUnexplained),
  amount('Payable', ({ payable }) => payable),
  amount('Payable unexplained', ({ payableUnexplained }) => payableUnexplained),
  amount('Closing expected', ({ closingExpected }) => closingExpected),
];

function counted(title: string, of: (account: AccountReport) => CountedAmount): readonly Column<AccountReport>[] {
  return [
    [title, (account) => String(of(account).count)],
    amount(`Amount ${title.toLowerCase()}`, (account) => of(account).amount),
  ];
}

const accountColumns: readonly Column<AccountReport>[] = [
  ['Provider', ({ profile }) => profile],
  ['Account', accountName],
  ['Currency', ({ currency }) => currency],
  amount('Opening', ({ opening }) => opening),
  amount('In', (account) => account.in),
  amount('Out', ({ out }) => out),
  amount('Fees', ({ fees }) => fees),
  amount('Closing', ({ closing }) => closing),
  ['Closing of', ({ closing, closingDay }) => (closing === undefined ? UNKNOWN : (closingDay ?? 'the day'))],
  amount('Lines missing', ({ turnoverDifference }) => turnoverDifference),
  ...counted('Matched', ({ matched }) => matched),
  ...counted('Known', ({ known }) => known),
  ...ages.flatMap((age) => counted(`Open ${age} days`, ({ open }) => open[age])),
  ['Account key', ({ account }) => account],
];

/** CSV of the report (RFC 4180): one table after the other, an empty line between them. */
export function reportCsv({ positions, accounts }: DailyReport): string {
  return [csvTable(balanceColumns, positions), csvTable(accountColumns, accounts)].join('\r\n');
}

function csvTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  return [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cell(row)))]
    .map(csvLine)
    .join('');
}
