import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { createHasher, HasherBusyError, productCost } from './hasher.ts';

const cheap = { memoryKiB: 64, passes: 1 };

// Argon2id at its cost, off the main thread, never more at once than may; nobody's password takes as long as somebody's.
describe('the hasher', () => {
  it('makes Argon2id hashes of the cost that was asked for, and knows its own', async () => {
    const hasher = createHasher({ cost: cheap });
    const phc = await hasher.hash('secret');
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    expect(await hasher.verify(phc, 'secret')).toBe(true);
    expect(await hasher.verify(phc, 'Secret')).toBe(false);
    expect(hasher.isOutdated(phc)).toBe(false);
    expect(createHasher({ cost: { memoryKiB: 128, passes: 1 } }).isOutdated(phc)).toBe(true);
  });

  it('costs in the product what OWASP asks for at least', () => {
    expect(productCost.memoryKiB).toBeGreaterThanOrEqual(19 * 1024);
    expect(productCost.passes).toBeGreaterThanOrEqual(2);
  });

  it('takes one password typed in two ways as one', async () => {
    const hasher = createHasher({ cost: cheap });
    expect(await hasher.verify(await hasher.hash('caf\u00e9'), 'cafe\u0301')).toBe(true);
  });

  it('is never right for nobody, not even with the password of its dummy', async () => {
    expect(await createHasher({ cost: cheap }).verify(undefined, '')).toBe(false);
  });

  it('leaves the main thread free, and works for nobody as long as for somebody', async () => {
    const hasher = createHasher({ cost: { memoryKiB: 32 * 1024, passes: 3 }, concurrency: 1 });
    const phc = await hasher.hash('secret');
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const times = { somebody: [] as number[], nobody: [] as number[] };
    for (let round = 0; round < 9; round += 1) {
      for (const [who, hash] of [
        ['somebody', phc],
        ['nobody', undefined],
      ] as const) {
        const started = performance.now();
        expect(await hasher.verify(hash, 'wrong')).toBe(false);
        times[who].push(performance.now() - started);
      }
    }
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
    // The quickest of each: whatever else the machine does can only make it slower.
    const ratio = Math.min(...times.somebody) / Math.min(...times.nobody);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  it('refuses what would wait behind too many, and goes on when they are done', async () => {
    const hasher = createHasher({ cost: cheap, concurrency: 1, waitingMax: 2 });
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => hasher.hash('secret')));
    expect(all.map(({ status }) => status).sort()).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(all.find((one) => one.status === 'rejected')?.reason).toBeInstanceOf(HasherBusyError);
    expect(await hasher.hash('secret')).toMatch(/^\$argon2id/);
  });
});
