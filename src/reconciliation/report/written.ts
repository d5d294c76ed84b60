import { formatDecimal } from '../../kernel/money.ts';
import { csvLine } from '../cases/csv.ts';
import type { DailyReport } from './daily-report.ts';
import { ages, type CountedAmount } from './figures.ts';

/** JSON of the report: amounts as text, in minor units. */
export function reportJson(report: DailyReport): object {
  return JSON.parse(
    JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  ) as object;
}

interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function tablesOf({ accounts, positions }: DailyReport): readonly Table[] {
  const counted = ({ count, amount }: CountedAmount, currency: string): string[] => [
    String(count),
    formatDecimal(amount, currency),
  ];
  const maybe = (amount: bigint | undefined, currency: string): string =>
    amount === undefined ? '' : formatDecimal(amount, currency);
  return [
    {
      title: 'Balances',
      columns: [
        ...['Provider', 'Currency', 'Opening', 'Closing', 'Lines missing'],
        ...['Float', 'Float − closing', 'Explained', 'Unexplained', 'Settled, not on a statement'],
        ...['On a statement, not booked', 'Receivable', 'Payable'],
      ],
      rows: positions.map((one) => [
        one.profile,
        one.currency,
        ...[one.opening, one.closing, one.turnoverDifference, one.float, one.difference, one.explained].map((amount) =>
          maybe(amount, one.currency),
        ),
        maybe(one.unexplained, one.currency),
        ...[one.unseen.net, one.unbooked.net, one.receivable, one.payable].map((amount) => maybe(amount, one.currency)),
      ]),
    },
    {
      title: 'Accounts',
      columns: [
        ...[
          'Provider',
          'Account',
          'Currency',
          'In',
          'Out',
          'Fees',
          'Matched',
          'Amount matched',
          'Known',
          'Amount known',
        ],
        ...ages.flatMap((age) => [`Open ${age} days`, `Amount open ${age} days`]),
      ],
      rows: accounts.map((one) => [
        one.profile,
        one.account,
        one.currency,
        ...[one.in, one.out, one.fees].map((amount) => formatDecimal(amount, one.currency)),
        ...counted(one.matched, one.currency),
        ...counted(one.known, one.currency),
        ...ages.flatMap((age) => counted(one.open[age], one.currency)),
      ]),
    },
  ];
}

/** CSV of the report (RFC 4180): one table after the other, an empty line between them. */
export function reportCsv(report: DailyReport): string {
  return tablesOf(report)
    .map(({ columns, rows }) => [columns, ...rows].map(csvLine).join(''))
    .join('\r\n');
}

/** A page for people, without scripts and without anything from elsewhere. */
export function reportHtml(report: DailyReport): string {
  const unexplained = report.positions.filter((one) => one.unexplained !== undefined && one.unexplained !== 0n);
  const missing = report.positions.filter((one) => one.closing === undefined);
  const sentence =
    unexplained.length === 0
      ? 'Every difference between ledger and statements is explained by open items.'
      : `Not explained by open items: ${unexplained.map((one) => `${one.profile} ${formatDecimal(one.unexplained ?? 0n, one.currency)} ${one.currency}`).join('; ')}.`;
  const without =
    missing.length === 0 ? '' : `<p>No statement: ${escaped(missing.map(({ profile }) => profile).join(', '))}.</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Reconciliation, ${escaped(report.date)}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; }
caption { font-size: 1.25rem; font-weight: 600; text-align: left; padding: 1rem 0 0.5rem; }
th, td { border-bottom: 1px solid GrayText; padding: 0.4rem 0.7rem; text-align: left; vertical-align: bottom; }
td.number, th.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
td.account { max-width: 12rem; overflow-wrap: anywhere; }
.alert { border-left: 0.4rem solid #b00020; padding-left: 0.8rem; }
</style>
</head>
<body>
<main>
<h1>Reconciliation, ${escaped(report.date)}</h1>
<p>As of ${escaped(report.asOf)}. Amounts are in the currency of their row.</p>
<p${unexplained.length > 0 ? ' class="alert"' : ''}>${escaped(sentence)}</p>
${without}
${tablesOf(report).map(tableHtml).join('\n')}
</main>
</body>
</html>
`;
}

function tableHtml({ title, columns, rows }: Table): string {
  const isText = (column: string): boolean => ['Provider', 'Account', 'Currency'].includes(column);
  const head = columns
    .map((column) => `<th scope="col"${isText(column) ? '' : ' class="number"'}>${escaped(column)}</th>`)
    .join('');
  const body = rows
    .map((row) => {
      const cells = row.map((cell, index) => {
        const column = columns[index] ?? '';
        if (index === 0) return `<th scope="row">${escaped(cell)}</th>`;
        const kind = column === 'Account' ? 'account' : isText(column) ? '' : 'number';
        return `<td${kind === '' ? '' : ` class="${kind}"`}>${cell === '' ? '<span aria-label="not known">–</span>' : escaped(cell)}</td>`;
      });
      return `<tr>${cells.join('')}</tr>`;
    })
    .join('\n');
  const nothing = `<tr><td colspan="${columns.length}">Nothing.</td></tr>`;
  return `<div class="table" role="region" aria-label="${escaped(title)}" tabindex="0"><table>
<caption>${escaped(title)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body === '' ? nothing : body}
</tbody>
</table></div>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
