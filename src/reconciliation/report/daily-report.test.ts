import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { dailyReport } from './daily-report.ts';
import type { AccountFigures, PositionFigures } from './figures.ts';
import { reportCsv, reportHtml, reportJson } from './written.ts';

const none = { count: 0, amount: 0n };
const account: AccountFigures = {
  ...{ profile: 'bank:SN', account: '<b>a</b>', currency: 'GHS', in: 10_000n, out: 2_500n, fees: 150n },
  ...{ matched: { count: 3, amount: 12_000n }, known: { count: 1, amount: 150n } },
  open: { '0-1': { count: 1, amount: 500n }, '2-7': none, '>7': none },
};
const position: PositionFigures = {
  ...{ profile: 'bank:SN', currency: 'GHS', opening: 100_000n, closing: 107_350n },
  ...{ float: 107_850n, receivable: 0n, payable: 0n },
  unbooked: { count: 1, amount: 500n, net: -500n },
  unseen: { ...none, net: 0n },
};
const when = { date: '2026-11-27', asOf: '2026-11-28T06:00:00.000Z' };

/** Proves that the report says of every difference whether open items explain it, in three forms. */
describe('the daily report', () => {
  it('explains what the ledger has not booked yet', () => {
    const report = dailyReport({ ...when, accounts: [account], positions: [position] });
    expect(report.positions).toMatchObject([
      { turnoverDifference: 0n, difference: 500n, explained: 500n, unexplained: 0n },
    ]);
    expect(reportHtml(report)).toContain('Every difference between ledger and statements is explained');
  });

  it('says what nothing explains, and which lines are missing', () => {
    const wrong = { ...position, float: 107_857n, closing: 107_351n };
    const report = dailyReport({ ...when, accounts: [account], positions: [wrong] });
    expect(report.positions).toMatchObject([{ turnoverDifference: -1n, unexplained: 6n }]);
    expect(reportHtml(report)).toContain('Not explained by open items: bank:SN 0.06 GHS.');
  });

  it('has no difference where no statement came', () => {
    const { opening: _, closing: __, ...without } = position;
    const report = dailyReport({ ...when, accounts: [account], positions: [without] });
    expect(report.positions[0]).not.toHaveProperty('difference');
    expect(reportHtml(report)).toContain('No statement: bank:SN.');
  });

  it('is a page without scripts, in which nothing of the data is markup', () => {
    const html = reportHtml(dailyReport({ ...when, accounts: [account], positions: [position] }));
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<b>');
    expect(html).toContain('&lt;b&gt;a&lt;/b&gt;');
    expect(html.match(/<caption>/g)).toHaveLength(2);
    expect(html.match(/<html lang="en">/g)).toHaveLength(1);
  });

  it('has the same figures as CSV, in the decimals of the currency, and as JSON, in minor units', () => {
    const report = dailyReport({ ...when, accounts: [account], positions: [position] });
    const lines = reportCsv(report).split('\r\n');
    expect(lines[1]).toBe('bank:SN,GHS,1000.00,1073.50,0.00,1078.50,5.00,5.00,0.00,0.00,-5.00,0.00,0.00');
    expect(lines[4]).toBe('bank:SN,<b>a</b>,GHS,100.00,25.00,1.50,3,120.00,1,1.50,1,5.00,0,0.00,0,0.00');
    expect(reportJson(report)).toMatchObject({ positions: [{ float: '107850', unexplained: '0' }] });
  });

  const amount = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
  test.prop([amount, amount, amount, amount, amount])(
    'whatever is unexplained is exactly what neither side knows of',
    (start, settled, unseen, unbooked, lost) => {
      // Both sides saw `settled`; the ledger alone `unseen`, the bank alone `unbooked`, and somebody lost `lost`.
      const [float, closing] = [start + settled + unseen, start + settled + unbooked - lost];
      const report = dailyReport({
        ...{ ...when, accounts: [] },
        positions: [
          {
            ...{ profile: 'p', currency: 'XOF', closing, float, receivable: 0n, payable: 0n },
            ...{ unbooked: { ...none, net: unbooked }, unseen: { ...none, net: unseen } },
          },
        ],
      });
      expect(report.positions[0]?.unexplained).toBe(lost);
    },
  );
});
