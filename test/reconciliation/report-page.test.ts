import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dailyReport } from '../../src/reconciliation/report/daily-report.ts';
import type { AccountFigures, PositionFigures } from '../../src/reconciliation/report/figures.ts';
import { type HttpProduct, openProduct, type Someone } from '../http/support/product.ts';
import { chromiumMissing, chromiumPath } from '../support/chromium.ts';

/** Proves in a real browser that finance can read the page as the door serves it: on a desk, on a telephone, and printed. */
if (chromiumMissing !== undefined) process.stderr.write(`report page: ${chromiumMissing}\n`);

// What the browser has where parts of this run, and Node has not.
interface Shown {
  readonly parentElement: Shown | null;
}
declare const document: { readonly documentElement: { readonly scrollWidth: number } };
declare const window: { readonly innerWidth: number };
declare function matchMedia(query: string): { readonly matches: boolean };
declare function getComputedStyle(element: unknown): {
  readonly textAlign: string;
  readonly color: string;
  readonly backgroundColor: string;
};

const none = { count: 0, amount: 0n };
const evil = 'bank:<script>document.title="evil"</script>';
const account = (last4: string, of: Partial<AccountFigures> = {}): AccountFigures => ({
  ...{
    profile: 'bank:SN',
    account: `hash of ${last4}`,
    last4,
    currency: 'XOF',
    in: 12_345_678n,
    out: 2_345_678n,
    fees: 12_500n,
  },
  ...{ opening: 1_000_000_000n, closing: 1_009_987_500n, matched: { count: 1_203, amount: 14_000_000n } },
  ...{ known: { count: 3, amount: 12_500n } },
  open: { '0-1': { count: 12, amount: 612_500n }, '2-7': { count: 1, amount: 66_356n }, '>7': none },
  ...of,
});
const position = (of: Partial<PositionFigures> = {}): PositionFigures => ({
  ...{ profile: 'bank:SN', currency: 'XOF', float: 2_019_975_123n, receivable: 345_000n, payable: 1_200_000n },
  unbooked: { count: 13, amount: 678_856n, net: 78_856n },
  later: { count: 2, amount: 10_000n, net: -10_000n },
  unseen: { count: 7, amount: 90_000n, net: 88_979n },
  awaited: { in: { count: 4, amount: 345_000n }, out: { count: 9, amount: 1_200_500n } },
  ...of,
});
const { closing: _, opening: __, ...silent } = account('7788', { profile: 'momo:CI', currency: 'GHS' });
const report = dailyReport({
  ...{ date: '2026-11-27', asOf: '2026-11-28T06:00:00.000Z' },
  accounts: [
    account('3035'),
    account('0001', { in: 0n, out: 0n, fees: 0n, opening: 1_009_987_500n, closingDay: '2026-11-24', matched: none }),
    silent,
    account('"><b', { profile: evil, currency: 'USD' }),
  ],
  positions: [
    position(),
    position({ profile: 'momo:CI', currency: 'GHS' }),
    position({ profile: evil, currency: 'USD' }),
  ],
});

describe.skipIf(chromiumMissing !== undefined)('the page of the daily report', () => {
  let product: HttpProduct;
  let admin: Someone;
  let browser: Browser;
  beforeAll(async () => {
    product = await openProduct({ reconciliation: { reports: { daily: () => Promise.resolve(report) } } } as never);
    admin = await product.user('admin');
    browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser.close();
    await product.close();
  });

  async function shown(width: number, look: (page: Page, complaints: string[]) => Promise<void>): Promise<void> {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.setExtraHTTPHeaders(admin.headers);
    await page.goto(`${product.url}/v1/reconciliation/report?date=2026-11-27&format=html`);
    await look(page, complaints);
    await page.close();
  }

  const overflow = (page: Page): Promise<number> =>
    page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

  it.each([1_440, 1_024, 390])('has everything within a width of %i, and breaks no policy', async (width) => {
    await shown(width, async (page, complaints) => {
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      expect(complaints.filter((text) => !text.includes('favicon'))).toEqual([]);
      // What comes from data is text.
      expect(await page.title()).toBe('Reconciliation, 2026-11-27');
      expect(await page.locator('script, b').count()).toBe(0);
      expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toContain(`${evil}, USD`);
    });
  });

  it('fits on paper, A4 on its side', async () => {
    await shown(1_032, async (page) => {
      await page.emulateMedia({ media: 'print' });
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      expect(await page.locator('.accounts thead').first().isVisible()).toBe(true);
    });
  });

  it('has amounts at the right, with minus and currency, totals, and what explains a difference', async () => {
    await shown(1_440, async (page) => {
      const section = page.getByRole('region', { name: 'bank:SN, XOF' });
      const rowOf = (text: string): Promise<string> => section.getByRole('row', { name: text }).innerText();
      expect(await rowOf('Difference: float less closing')).toMatch(/\t123$/);
      expect(await rowOf('On a statement, not booked yet (13 lines)')).toMatch(/\t−78\u202f856$/);
      expect(await rowOf('Difference that nothing explains')).toMatch(/\t0$/);
      expect(await rowOf('All accounts')).toContain('2\u202f009\u202f987\u202f500');
      expect(await section.locator('caption').allInnerTexts()).toEqual([
        'Ledger against statements, XOF',
        'Accounts, XOF',
      ]);
      const aligned = await page
        .locator('td.number')
        .evaluateAll((all) => new Set(all.map((one) => getComputedStyle(one).textAlign)).size);
      expect(aligned).toBe(1);
      expect(
        await page
          .locator('td.number')
          .first()
          .evaluate((one) => getComputedStyle(one).textAlign),
      ).toBe('right');
      expect(await page.getByRole('row', { name: '…7788' }).innerText()).toMatch(/…7788\tunknown\t/);
    });
  });

  it.each(['light', 'dark'] as const)('has contrast enough when it is %s', async (colorScheme) => {
    await shown(1_440, async (page) => {
      await page.emulateMedia({ colorScheme });
      for (const selector of ['.sum.wrong td', '.alert p', '.sum th', 'td.number'])
        expect(await page.locator(selector).first().evaluate(contrast)).toBeGreaterThan(4.5);
    });
  });
});

/** WCAG 2's ratio of a text's colour and what is behind it. Runs in the browser. */
function contrast(element: Shown): number {
  const luminance = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map((part) => {
      const value = Number(part) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  let behind = isDark ? 'rgb(18, 18, 18)' : 'rgb(255, 255, 255)';
  for (let one: Shown | null = element; one !== null; one = one.parentElement) {
    const { backgroundColor } = getComputedStyle(one);
    if (!/, 0\)$/.test(backgroundColor)) {
      behind = backgroundColor;
      break;
    }
  }
  const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
