import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../src/gateway/http/routes.ts';
import { chromiumMissing, chromiumPath } from '../support/chromium.ts';
import { type HttpProduct, openProduct } from './support/product.ts';

/** Proves in a real browser that the reference page works under its own policy, and asks nobody but this door. */
if (chromiumMissing !== undefined) process.stderr.write(`reference page: ${chromiumMissing}\n`);

describe.skipIf(chromiumMissing !== undefined)('the reference page', () => {
  let product: HttpProduct;
  beforeAll(async () => {
    product = await openProduct();
  });
  afterAll(() => product.close());

  it('shows every operation, breaks no policy, and asks no other host', async () => {
    const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      const asked: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(`${product.url}/docs`);
      await page.waitForSelector('.opblock');
      const shown = await page.locator('.opblock').count();
      expect(shown).toBe(routes.length);
      // One of them in full: its schemas are found by their references.
      await page.locator('#operations-payments-pay .opblock-summary').first().click();
      await page.waitForSelector('#operations-payments-pay .responses-table');
      expect(await page.locator('#operations-payments-pay').textContent()).toContain('Idempotency-Key');
      expect(complaints).toEqual([]);
      const others = asked.filter((url) => !url.startsWith(product.url) && !url.startsWith('data:'));
      expect(others).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
