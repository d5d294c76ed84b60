/** sdk/generated is what the http door says, and the check that says so can fail. */
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../ops/dev/generate-sdk.ts', import.meta.url));
const sdk = fileURLToPath(new URL('../../sdk/generated', import.meta.url));
const check = (folder: string) => promisify(execFile)(process.execPath, [script, '--check', '--out', folder]);

it('is up to date', async () => {
  await expect(check(sdk)).resolves.toMatchObject({ stdout: '' });
});

it('is written to where it is wanted; a file that was changed is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kora-sdk-generated-'));
  try {
    await promisify(execFile)(process.execPath, [script, '--out', folder]);
    await expect(check(folder)).resolves.toMatchObject({ stdout: '' });
    await appendFile(join(folder, 'operations.ts'), '// changed\n');
    const failed = check(folder);
    await expect(failed).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('operations.ts') as string });
    await expect(failed).rejects.not.toMatchObject({ stderr: expect.stringContaining('types.ts') as string });
  } finally {
    await rm(folder, { recursive: true });
  }
});
