import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { dailyReport } from './daily-report.ts';
import type { AccountFigures, PositionFigures } from './figures.ts';
import { reportHtml } from './page.ts';
import { reportCsv, reportJson } from './written.ts';

const none = { count: 0, amount: 0n };
const account: AccountFigures = {
  ...{ profile: 'bank:SN', account: 'a1', last4: '3035', currency: 'GHS', in: 10_000n, out: 2_500n, fees: 150n },
  ...{ opening: 100_000n, closing: 107_350n },
  ...{ matched: { count: 3, amount: 12_000n }, known: { count: 1, amount: 150n } },
  open: { '0-1': { count: 1, amount: 500n }, '2-7': none, '>7': none },
};
const position: PositionFigures = {
  ...{ profile: 'bank:SN', currency: 'GHS', float: 107_850n, receivable: 300n, payable: 200n },
  unbooked: { count: 1, amount: 500n, net: -500n },
  ...{ unseen: { ...none, net: 0n }, later: { ...none, net: 0n } },
  awaited: { in: { count: 2, amount: 300n }, out: { count: 1, amount: 200n } },
};
const when = { date: '2026-11-27', asOf: '2026-11-28T06:00:00.000Z' };

/** Proves that the report says of every difference whether open items explain it, in three forms. */
describe('the daily report', () => {
  it('explains what the ledger has not booked yet', () => {
    const report = dailyReport({ ...when, accounts: [account], positions: [position] });
    expect(report.positions).toMatchObject([
      {
        ...{ opening: 100_000n, closing: 107_350n, difference: 500n, explained: 500n, unexplained: 0n },
        ...{ receivableUnexplained: 0n, payableUnexplained: 0n, closingExpected: 107_950n },
      },
    ]);
    expect(report.accounts).toMatchObject([{ turnoverDifference: 0n }]);
    expect(reportHtml(report)).toContain('Every difference between ledger and statements is explained');
  });

  it('says what nothing explains, and which lines are missing', () => {
    const report = dailyReport({
      ...when,
      accounts: [{ ...account, closing: 107_351n }],
      positions: [{ ...position, float: 107_857n, receivable: 301n, payable: 150n }],
    });
    expect(report.positions).toMatchObject([{ unexplained: 6n, receivableUnexplained: 1n, payableUnexplained: -50n }]);
    expect(report.accounts).toMatchObject([{ turnoverDifference: -1n }]);
    const html = reportHtml(report);
    for (const text of [
      'Not explained by open items: float of bank:SN, 0.06 GHS.',
      'Not explained by payments that wait: receivable of bank:SN, 0.01 GHS.',
      'Not explained by payments that wait: payable of bank:SN, −0.50 GHS.',
      'Lines are missing: account …3035 of bank:SN, −0.01 GHS.',
    ])
      expect(html).toContain(`<li>${text}</li>`);
  });

  it('says of what is not known that it is not, and never that it is nothing', () => {
    const { closing: _, opening: __, ...silent } = { ...account, account: 'a2', last4: '9999' };
    const report = dailyReport({ ...when, accounts: [account, silent], positions: [position] });
    expect(report.accounts[1]).not.toHaveProperty('turnoverDifference');
    for (const name of ['opening', 'closing', 'difference', 'unexplained', 'closingExpected'])
      expect(report.positions[0]).not.toHaveProperty(name);
    expect(reportHtml(report)).toContain('No closing balance is known: account …9999 of bank:SN, GHS.');
    expect(reportHtml(report)).not.toContain('Every difference');
    expect(reportCsv(report).split('\r\n')[1]).toMatch(/^bank:SN,GHS,unknown,unknown,1078.50,unknown,/);
    const bare = dailyReport({ ...when, accounts: [], positions: [position] });
    expect(bare.positions[0]).not.toHaveProperty('closing');
    expect(reportHtml(bare)).toContain('No statement has come: bank:SN, GHS.');
  });

  it('is a page without scripts, in which nothing of the data is markup', () => {
    const evil = '<script>alert(1)</script>';
    const report = dailyReport({
      ...when,
      accounts: [{ ...account, profile: evil, account: evil, last4: '"><b' }],
      positions: [{ ...position, profile: evil }],
    });
    const html = reportHtml(report);
    expect(html).not.toContain('<script');
    expect(html).not.toContain('"><b');
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html.match(/<caption>/g)).toHaveLength(3);
    expect(html.match(/<html lang="en">/g)).toHaveLength(1);
  });

  it('has the same figures as CSV, in the decimals of the currency, and as JSON, in minor units', () => {
    const report = dailyReport({
      ...when,
      accounts: [{ ...account, closingDay: '2026-11-24' }],
      positions: [position],
    });
    const [balanceTitles = '', balances = '', , accountTitles = '', accounts = ''] = reportCsv(report).split('\r\n');
    expect(balances).toBe(
      'bank:SN,GHS,1000.00,1073.50,1078.50,5.00,0.00,0.00,-5.00,5.00,0.00,3.00,0.00,2.00,0.00,1079.50',
    );
    expect(accounts).toBe(
      'bank:SN,…3035,GHS,1000.00,100.00,25.00,1.50,1073.50,2026-11-24,0.00,3,120.00,1,1.50,1,5.00,0,0.00,0,0.00,a1',
    );
    for (const [titles, row] of [
      [balanceTitles, balances],
      [accountTitles, accounts],
    ] as const)
      expect(titles.split(',')).toHaveLength(row.split(',').length);
    expect(reportJson(report)).toMatchObject({ positions: [{ float: '107850', unexplained: '0' }] });
  });

  const amount = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
  test.prop([amount, amount, amount, amount, amount, amount])(
    'whatever is unexplained is exactly what neither side knows of',
    (start, settled, unseen, later, unbooked, lost) => {
      // Both sides saw `settled`; the ledger alone `unseen` and `later`, the bank alone `unbooked`, and somebody lost `lost`.
      const [float, closing] = [start + settled + unseen + later, start + settled + unbooked - lost];
      const netOf = (net: bigint) => ({ ...none, net });
      const report = dailyReport({
        ...{ ...when, accounts: [{ ...account, closing }] },
        positions: [{ ...position, float, unbooked: netOf(unbooked), unseen: netOf(unseen), later: netOf(later) }],
      });
      expect(report.positions[0]?.unexplained).toBe(lost);
    },
  );
});
