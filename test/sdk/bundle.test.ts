/** The client can be bundled for browsers: nothing of Node's is in it, and nothing of anybody else's. */
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { bundled } from './support/browser.ts';

it('is one small module that imports nothing', async () => {
  const code = await bundled('../../../sdk/index.ts', { minify: true });
  expect(code).not.toMatch(/^\s*import[\s{("']/m);
  expect(code).not.toMatch(/\bimport\(|\brequire\(|node:|__vite-browser-external|\bprocess\.|\bBuffer\b/);
  expect(code).toMatch(/export ?\{[^}]*\bKora\b/);
  expect(gzipSync(code).length).toBeLessThan(10 * 1024);
});
