import { formatDecimal } from '../../kernel/money.ts';
import type { AccountReport, DailyReport, PositionReport } from './daily-report.ts';
import { ages, type CountedAmount } from './figures.ts';
import { pagePolicy, pageStyle } from './page-style.ts';
import { accountName, UNKNOWN } from './written.ts';

/** A page for people, without scripts and without anything from elsewhere. Whatever comes from data is a text in it. */
export function reportHtml(report: DailyReport): string {
  const { date, asOf, positions, accounts } = report;
  const sections = positions.map((position) => {
    const { profile, currency } = position;
    return sectionHtml(
      position,
      accounts.filter((one) => one.profile === profile && one.currency === currency),
    );
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${pagePolicy}">
<title>Reconciliation, ${escaped(date)}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<h1>Reconciliation, ${escaped(date)}</h1>
<p>Asked for at ${escaped(asOf.slice(0, 16).replace('T', ' '))} UTC: balances of the ledger, and what is matched, are of then.</p>
${verdictHtml(positions, accounts)}
${positions.length === 0 ? '<p>There is nothing to report of this day.</p>' : summaryHtml(positions)}
${sections.join('\n')}
</main>
</body>
</html>
`;
}

/** What has to be looked for, or that there is nothing. */
function verdictHtml(positions: readonly PositionReport[], accounts: readonly AccountReport[]): string {
  const wrong = [
    ...positions.flatMap((one) => [
      ...found('Not explained by open items: float of', one, one.unexplained),
      ...found('Not explained by payments that wait: receivable of', one, one.receivableUnexplained),
      ...found('Not explained by payments that wait: payable of', one, one.payableUnexplained),
    ]),
    ...accounts.flatMap((one) =>
      found(`Lines are missing: account ${accountName(one)} of`, one, one.turnoverDifference),
    ),
  ];
  const unknown = accounts
    .filter(({ closing }) => closing === undefined)
    .map((one) => `No closing balance is known: account ${accountName(one)} of ${one.profile}, ${one.currency}.`);
  const bare = positions
    .filter((one) => !accounts.some(({ profile, currency }) => profile === one.profile && currency === one.currency))
    .map((one) => `No statement has come: ${one.profile}, ${one.currency}.`);
  const items = [...wrong, ...unknown, ...bare];
  if (items.length === 0)
    return '<p class="good">Every difference between ledger and statements is explained by open items.</p>';
  const list = items.map((text) => `<li>${escaped(text)}</li>`).join('');
  return `<div class="alert"><p>To be looked for:</p><ul>${list}</ul></div>`;
}

function found(what: string, { profile, currency }: Place, amount: bigint | undefined): string[] {
  return amount === undefined || amount === 0n ? [] : [`${what} ${profile}, ${shown(amount, currency)} ${currency}.`];
}

interface Place {
  readonly profile: string;
  readonly currency: string;
}

function summaryHtml(positions: readonly PositionReport[]): string {
  const rows = positions.map((one) => {
    const amounts = [one.closing, one.float, one.difference, one.explained, one.unexplained];
    return `<tr><th scope="row">${escaped(one.profile)}</th><td data-label="Currency">${escaped(one.currency)}</td>${cells(
      ['Closing', 'Float', 'Float − closing', 'Explained', 'Unexplained'],
      amounts.map((amount) => maybe(amount, one.currency)),
    )}</tr>`;
  });
  return tableHtml(
    'Float against the statements',
    ['Provider', 'Currency', 'Closing', 'Float', 'Float − closing', 'Explained', 'Unexplained'],
    2,
    rows,
  );
}

function sectionHtml(position: PositionReport, accounts: readonly AccountReport[]): string {
  const { profile, currency } = position;
  const title = `${escaped(profile)}, ${escaped(currency)}`;
  return `<section aria-label="${title}">
<h2>${title}</h2>
${ledgerHtml(position)}
${accounts.length === 0 ? '<p>No statement of an account has come.</p>' : accountsHtml(accounts, currency)}
</section>`;
}

/** The accounts of the ledger, one after the other, each with what it should be made of. */
function ledgerHtml(one: PositionReport): string {
  const { currency, unseen, later, unbooked, awaited } = one;
  const row = (text: string, amount: bigint | undefined, kind = ''): string =>
    `<tr${kind === '' ? '' : ` class="${kind}"`}><th scope="row">${text}</th><td class="number">${maybe(amount, currency)}</td></tr>`;
  const sum = (text: string, amount: bigint | undefined): string =>
    row(text, amount, amount === 0n ? 'sum' : amount === undefined ? 'sum unknown' : 'sum wrong');
  const of = ({ count }: CountedAmount, what: string): string =>
    `${grouped(String(count))} ${what}${count === 1 ? '' : 's'}`;
  const rows = [
    row('Float: what the ledger has there', one.float),
    row('Closing balance of the statements', one.closing),
    row('Difference: float less closing', one.difference, 'sum'),
    row(`Settled, on no statement yet (${of(unseen, 'payment')})`, unseen.net, 'part'),
    row(`Booked, of later days (${of(later, 'line')})`, later.net, 'part'),
    row(`On a statement, not booked yet (${of(unbooked, 'line')}), taken off`, -unbooked.net, 'part'),
    sum('Difference that nothing explains', one.unexplained),
    row('Receivable: what the provider owes us', one.receivable),
    row(`Collected, to be settled (${of(awaited.in, 'payment')})`, awaited.in.amount, 'part'),
    sum('Receivable that nothing explains', one.receivableUnexplained),
    row('Payable: what we owe through the provider', one.payable),
    row(`Paid out, to be settled (${of(awaited.out, 'payment')})`, awaited.out.amount, 'part'),
    sum('Payable that nothing explains', one.payableUnexplained),
    row('Closing balance when all of it is settled, without fees', one.closingExpected, 'sum'),
  ];
  return tableHtml(`Ledger against statements, ${currency}`, ['', `Amount, ${currency}`], 1, rows, 'ledger');
}

const accountTitles = [
  ...['Account', 'Opening', 'In', 'Out', 'Fees', 'Closing', 'Lines missing', 'Matched', 'Known'],
  ...ages.map((age) => `Open ${age.replace('-', '–').replace('>', 'over ')} days`),
];

function accountsHtml(accounts: readonly AccountReport[], currency: string): string {
  const rowOf = (name: string, one: Omit<AccountReport, 'profile' | 'account' | 'currency'>, kind = ''): string => {
    const closing = `${maybe(one.closing, currency)}${one.closingDay === undefined ? '' : `<small>of ${escaped(one.closingDay)}</small>`}`;
    const of = ({ count, amount }: CountedAmount): string =>
      count === 0
        ? '0'
        : `${shown(amount, currency)}<small>${grouped(String(count))} line${count === 1 ? '' : 's'}</small>`;
    const texts = [
      maybe(one.opening, currency),
      ...[one.in, one.out, one.fees].map((amount) => shown(amount, currency)),
      ...[closing, maybe(one.turnoverDifference, currency)],
      ...[one.matched, one.known, ...ages.map((age) => one.open[age])].map(of),
    ];
    return `<tr${kind}><th scope="row">${escaped(name)}</th>${cells(accountTitles.slice(1), texts)}</tr>`;
  };
  const rows = accounts.map((one) => rowOf(accountName(one), one));
  if (accounts.length > 1) rows.push(rowOf('All accounts', totalOf(accounts), ' class="sum"'));
  return tableHtml(`Accounts, ${currency}`, accountTitles, 1, rows, 'accounts');
}

function totalOf(accounts: readonly AccountReport[]): Omit<AccountReport, 'profile' | 'account' | 'currency'> {
  const sum = (of: (one: AccountReport) => bigint): bigint => accounts.reduce((total, one) => total + of(one), 0n);
  const known = (of: (one: AccountReport) => bigint | undefined): bigint | undefined =>
    accounts.some((one) => of(one) === undefined) ? undefined : sum((one) => of(one) ?? 0n);
  const counted = (of: (one: AccountReport) => CountedAmount): CountedAmount => ({
    count: accounts.reduce((total, one) => total + of(one).count, 0),
    amount: sum((one) => of(one).amount),
  });
  const [opening, closing] = [known((one) => one.opening), known((one) => one.closing)];
  const turnoverDifference = known((one) => one.turnoverDifference);
  return {
    ...(opening !== undefined && { opening }),
    ...(closing !== undefined && { closing }),
    ...(turnoverDifference !== undefined && { turnoverDifference }),
    ...{ in: sum((one) => one.in), out: sum((one) => one.out), fees: sum((one) => one.fees) },
    ...{ matched: counted((one) => one.matched), known: counted((one) => one.known) },
    open: {
      '0-1': counted((one) => one.open['0-1']),
      '2-7': counted((one) => one.open['2-7']),
      '>7': counted((one) => one.open['>7']),
    },
  };
}

/** @param textColumns how many of the first columns are texts; all others are numbers */
function tableHtml(
  title: string,
  columns: readonly string[],
  textColumns: number,
  rows: readonly string[],
  kind = 'summary',
): string {
  const head = columns
    .map((column, index) =>
      column === ''
        ? '<td></td>'
        : `<th scope="col"${index < textColumns ? '' : ' class="number"'}>${escaped(column)}</th>`,
    )
    .join('');
  return `<table class="${kind}">
<caption>${escaped(title)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

function cells(labels: readonly string[], texts: readonly string[]): string {
  return texts
    .map((text, index) => `<td class="number" data-label="${escaped(labels[index] ?? '')}"><span>${text}</span></td>`)
    .join('');
}

function maybe(amount: bigint | undefined, currency: string): string {
  return amount === undefined ? `<em>${UNKNOWN}</em>` : shown(amount, currency);
}

/** `−1 234 567.50`: with a minus, and with narrow blanks at which no line ends. */
function shown(amount: bigint, currency: string): string {
  const [whole = '', decimals] = formatDecimal(amount < 0n ? -amount : amount, currency).split('.');
  return `${amount < 0n ? '−' : ''}${grouped(whole)}${decimals === undefined ? '' : `.${decimals}`}`;
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+$)/g, '\u202f');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
