import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const gen = join('src', 'gateway', 'rpc', 'gen');

it('the generated code is what `npm run generate:proto` makes of proto/', async () => {
  const out = await mkdtemp(join(tmpdir(), 'kora-proto-'));
  try {
    const bin = join(root, 'node_modules', '.bin');
    const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    await promisify(execFile)(join(bin, 'buf'), ['generate', '--output', out], { cwd: root, env });
    const made = await filesOf(join(out, gen));
    expect([...made.keys()].length).toBeGreaterThan(0);
    expect(await filesOf(join(root, gen))).toEqual(made);
  } finally {
    await rm(out, { recursive: true });
  }
});

async function filesOf(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  );
}
