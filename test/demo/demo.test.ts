import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runDemo } from '../../src/demo/index.ts';

/** Proves that the demo keeps its promises on a small day, with providers that are processes, and leaves nothing behind. */
describe('the demo', { timeout: 240_000 }, () => {
  it('shows an outage, the breaker, fallback and doubts, and misses not one franc', async () => {
    const lines: string[] = [];
    let whileServing: readonly boolean[] = [];
    const admins = (): string[] => lines.flatMap((line) => line.match(/http:\/\/127\.0\.0\.1:\d+(?= and | \()/g) ?? []);
    const { problems } = await runDemo({
      say: (line) => void lines.push(line),
      warn: (line) => void lines.push(line),
      signal: new AbortController().signal,
      keep: async () => {
        whileServing = await Promise.all(admins().map(answers));
      },
      customers: 40,
      merchants: 4,
      paymentsPerHour: 20,
    });
    const all = lines.join('\n');
    expect(problems, all).toEqual([]);
    const breaker = lines.flatMap((line) => /breaker of momo-main: (\w+)/.exec(line)?.[1] ?? []);
    expect(breaker.slice(0, 1)).toEqual(['OPEN']);
    expect(breaker.slice(-2)).toEqual(['HALF_OPEN', 'CLOSED']);
    expect(all).toMatch(/\d+ payments fell back to momo-backup/);
    expect(all).toMatch(/in doubt ([1-9]\d*): \1 carried out, 0 not, 0 still open; [1-9]\d* questions, paid twice: 0/);
    expect(all).toMatch(/fell back [1-9]\d* of \d+ to momo-backup, [1-9]/);
    expect(all).toMatch(/A payout of 250000 XOF went out meanwhile, in 5 slices/);
    expect(all).toContain('Not one franc is missing.');
    expect(all).toContain('momo-main is gone');

    expect(whileServing).toEqual([true, true]);
    expect(await Promise.all(admins().map(answers))).toEqual([false, false]);
  });

  it('leaves no provider behind when it is killed', async () => {
    const module = new URL('../../src/demo/providers/provider-process.ts', import.meta.url).href;
    const script = `
      const { ProviderProcess } = await import(${JSON.stringify(module)});
      const options = { secret: 'of a test', seed: 1, callbackUrl: 'http://127.0.0.1:1/', behaviour: [] };
      console.log((await ProviderProcess.start(options)).admin);
      setInterval(() => {}, 1_000);`;
    const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
    const parent = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [admin] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    expect(await answers(admin)).toBe(true);
    parent.kill('SIGKILL');
    for (let tries = 0; tries < 200 && (await answers(admin)); tries++) await sleep(50);
    expect(await answers(admin)).toBe(false);
  });
});

async function answers(admin: string): Promise<boolean> {
  return fetch(`${admin}/admin/totals`).then(
    ({ ok }) => ok,
    () => false,
  );
}
