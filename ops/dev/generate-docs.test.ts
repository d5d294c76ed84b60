import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** Proves that a document which is not what the code says is found, by the very command that `npm run check` runs. */
const run = promisify(execFile);
const script = fileURLToPath(new URL('generate-docs.ts', import.meta.url));
const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const generate = (...args: string[]) => run(process.execPath, [script, ...args]);

describe('generate-docs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kora-docs-'));
    cpSync(docs, folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('finds the documents of the project up to date', async () => {
    await expect(generate('--check')).resolves.toBeDefined();
  });

  // Each is named by itself, so one run says it of all.
  it('finds every document to which a line was added, and every one that is gone', async () => {
    const names = ['machines.md', 'postings.md', 'errors.md', 'openapi.json', 'events/payment.captured.v1.json'];
    const found = async (): Promise<string> => {
      const { code, stderr } = (await generate('--check', '--docs', folder).catch((error: unknown) => error)) as {
        readonly code: number;
        readonly stderr: string;
      };
      expect(code).toBe(1);
      return stderr;
    };
    for (const name of names) appendFileSync(join(folder, name), 'one more line\n');
    const changed = await found();
    for (const name of names) expect(changed).toContain(name);
    expect(changed).not.toContain('payment.settled.v1.json');
    for (const name of names) rmSync(join(folder, name));
    const gone = await found();
    for (const name of names) expect(gone).toContain(name);
  });

  it('writes what is missing, and then finds it up to date', async () => {
    rmSync(join(folder, 'machines.md'));
    await generate('--docs', folder);
    await expect(generate('--check', '--docs', folder)).resolves.toBeDefined();
  });
});
