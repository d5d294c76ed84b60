import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { mutants } from './mutants/mutants.ts';

/** Proves that the simulation can fail: every bug that is put into the product is found within 500 seeds. */
const simulate = fileURLToPath(new URL('simulate.ts', import.meta.url));

async function play(mutant: string): Promise<{ code: unknown; out: string; err: string }> {
  const args = ['--disable-warning=ExperimentalWarning', simulate, '--mutant', mutant, '--runs', '500', '--whole'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [closed, out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  return { code: closed[0] as unknown, out, err };
}

describe('a bug in the product', () => {
  test.each(Object.keys(mutants))('%s', { timeout: 300_000 }, async (name) => {
    const { code, out, err } = await play(name);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toMatch(/^seed \d+ \(.+\) fails: /);
  });

  test('whose text is not in the source any more fails loudly', { timeout: 60_000 }, async () => {
    const { code, err } = await play('no such mutant');
    expect(code).not.toBe(0);
    expect(err).toContain('MutantNotPlanted');
  });
});
