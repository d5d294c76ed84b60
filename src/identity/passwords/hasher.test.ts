import type * as argon2 from '@node-rs/argon2';
import { parseOptions } from '@node-rs/argon2';
import { describe, expect, it, vi } from 'vitest';
import { createHasher, HasherBusyError, productCost } from './hasher.ts';

const { verifications } = vi.hoisted(() => ({ verifications: vi.fn<(hash: unknown) => void>() }));
vi.mock('@node-rs/argon2', async (original) => {
  const real = await original<typeof argon2>();
  const verify: typeof real.verify = (hash, ...rest) => {
    verifications(hash);
    return real.verify(hash, ...rest);
  };
  return { ...real, verify };
});

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

  it('leaves the main thread free', async () => {
    const hasher = createHasher({ cost: { memoryKiB: 32 * 1024, passes: 3 }, concurrency: 1 });
    const phc = await hasher.hash('secret');
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    for (let round = 0; round < 9; round += 1) expect(await hasher.verify(phc, 'wrong')).toBe(false);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
  });

  // Counted, not timed: a clock would measure this machine.
  it('does the same work for nobody as for somebody: one verification, at the same cost', async () => {
    const hasher = createHasher({ cost: cheap });
    const phc = await hasher.hash('secret');
    await hasher.verify(undefined, 'wrong');
    const work = async (whose: string | undefined): Promise<readonly unknown[]> => {
      verifications.mockClear();
      expect(await hasher.verify(whose, 'wrong')).toBe(false);
      return verifications.mock.calls.map(([hash]) => parseOptions(String(hash)));
    };
    const somebody = await work(phc);
    expect(somebody).toHaveLength(1);
    expect(await work(undefined)).toEqual(somebody);
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
