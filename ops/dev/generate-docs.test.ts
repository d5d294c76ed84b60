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

  it.each(['machines.md', 'postings.md', 'errors.md', 'openapi.json', 'events/payment.captured.v1.json'])(
    'finds %s when a line was added, and when it is gone',
    async (name) => {
      appendFileSync(join(folder, name), 'one more line\n');
      await expect(generate('--check', '--docs', folder)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining(name) as string,
      });
      rmSync(join(folder, name));
      await expect(generate('--check', '--docs', folder)).rejects.toMatchObject({ code: 1 });
    },
  );

  it('writes what is missing, and then finds it up to date', async () => {
    rmSync(join(folder, 'machines.md'));
    await generate('--docs', folder);
    await expect(generate('--check', '--docs', folder)).resolves.toBeDefined();
  });
});
