import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

// docs/security.md promises nothing whose code or test is not there.

const docs = new URL('../../docs/', import.meta.url);

it.each(['security.md', 'rpc.md'])('every link of %s leads somewhere', async (name) => {
  const text = await readFile(new URL(name, docs), 'utf8');
  const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThan(2);
  expect(links.filter((link) => !/^https?:/.test(link) && !existsSync(new URL(link, docs)))).toEqual([]);
});

it('the ten risks of OWASP are each a row of the document and a part of the suite', async () => {
  const text = await readFile(new URL('security.md', docs), 'utf8');
  const suite = await readFile(new URL('owasp-api-top-10.test.ts', import.meta.url), 'utf8');
  for (let number = 1; number <= 10; number++) {
    expect(text).toMatch(new RegExp(`^\\| API${number} `, 'm'));
    expect(suite).toContain(`describe('API${number}: `);
  }
});
