import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { run } from './run.ts';
import { scenarioOf } from './workloads/scenario-of.ts';

/** Proves that the product keeps its promises in 1,000 simulated worlds, and that a seed replays its world to the byte. */
const simulate = fileURLToPath(new URL('simulate.ts', import.meta.url));

describe('simulation', () => {
  test.each([3, 11])('seed %i plays the same way twice, event for event', async (seed) => {
    const play = async (): Promise<{ log: string; trace: string[] }> => {
      const trace: string[] = [];
      const { log } = await run(scenarioOf(seed), (line) => trace.push(line));
      return { log: log(), trace };
    };
    const [first, second] = [await play(), await play()];
    expect(second.log).toBe(first.log);
    expect(second.trace).toEqual(first.trace);
    expect(first.trace.length).toBeGreaterThan(100);
  });

  test('1,000 seeds', { timeout: 600_000 }, async () => {
    const args = ['--disable-warning=ExperimentalWarning', simulate, '--seed', '1', '--runs', '1000'];
    // A failing run exits with 1, and what it prints is the error's.
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
    expect(stdout).toContain('nothing found');
  });
});
