import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { build } from 'vite';
import { chromiumPath } from '../../support/chromium.ts';
import type { inBrowsers } from './browser-entry.ts';
import type { Controls, ScenarioName, Setting } from './scenarios.ts';

/** Bundles a module of ours, and what it imports, for browsers: as somebody would who builds an app with it. */
export async function bundled(entry: string, { minify = false } = {}): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    root: fileURLToPath(new URL('../../..', import.meta.url)),
    build: {
      write: false,
      minify: minify && 'oxc',
      target: 'es2023',
      lib: { entry: fileURLToPath(new URL(entry, import.meta.url)), formats: ['es'], fileName: 'bundle' },
    },
  });
  const [output] = Array.isArray(result) ? result : [];
  if (output === undefined || output.output.length !== 1) throw new Error('one bundle was expected');
  return output.output[0].code;
}

/** Serves one page with the scenarios in it, from an origin of its own. */
export async function servePage(): Promise<{ readonly origin: string; readonly close: () => void }> {
  const script = await bundled('./browser-entry.ts');
  const server: Server = createServer(({ url }, response) => {
    const isScript = url === '/bundle.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(
      isScript ? script : '<!doctype html><title>Kora</title><script type="module" src="/bundle.js"></script>',
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close().closeAllConnections() };
}

/** In the page: its script has run. */
const loaded = 'window.runScenario !== undefined';

/** A browser with the page open: runs scenarios in it. */
export class Chromium {
  readonly #browser: Browser;
  readonly #page: Page;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.#page = page;
  }

  static async open(origin: string, controls: Controls): Promise<Chromium> {
    // Tests run as root, where Chromium has no sandbox; the only page is ours.
    const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
    const page = await browser.newPage();
    await page.exposeFunction('control', (name: keyof Controls, args: unknown[]) =>
      (controls[name] as (...args: unknown[]) => unknown)(...args),
    );
    await page.goto(origin);
    await page.waitForFunction(loaded);
    return new Chromium(browser, page);
  }

  run(name: ScenarioName | keyof typeof inBrowsers, setting: Setting): Promise<unknown> {
    return this.#page.evaluate(([which, given]) => window.runScenario(which, given), [name, setting] as const);
  }

  async reload(): Promise<void> {
    await this.#page.reload();
    await this.#page.waitForFunction(loaded);
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}
