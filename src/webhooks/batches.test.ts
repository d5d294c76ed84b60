import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { batchesOf } from './batches.ts';
import { Bell } from './bell.ts';

/** Numbers as they come, and how far the source was read. */
function numbers(count: number): { readonly source: AsyncIterable<number>; readonly read: () => number } {
  let read = 0;
  async function* source(): AsyncGenerator<number> {
    for (; read < count; read += 1) {
      if (read % 7 === 0) await turn();
      yield read;
    }
  }
  return { source: source(), read: () => read };
}

describe('batches', () => {
  it('hold everything once, in order, and no more than they may', async () => {
    const batches: number[][] = [];
    for await (const batch of batchesOf(numbers(1_000).source, { max: 64, lingerMs: 1 })) batches.push(batch);
    expect(batches.flat()).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(Math.max(...batches.map(({ length }) => length))).toBe(64);
  });

  it('do not read on while nobody takes them', async () => {
    const { source, read } = numbers(1_000);
    const batches = batchesOf(source, { max: 10, lingerMs: 1 });
    await batches.next();
    await sleep(20);
    expect(read()).toBeLessThan(25);
    await batches.return(undefined);
  });

  it('are given out before the failure of their source is', async () => {
    async function* failing(): AsyncGenerator<number> {
      yield 1;
      await turn();
      yield 2;
      throw new Error('the source broke');
    }
    const got: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const batch of batchesOf(failing(), { max: 10, lingerMs: 5 })) got.push(...batch);
    };
    await expect(reading()).rejects.toThrow('the source broke');
    expect(got).toEqual([1, 2]);
  });
});

describe('a bell', () => {
  it('wakes who waits, is heard by who comes later, and gives way to the signal', async () => {
    const bell = new Bell();
    const never = new AbortController();
    const waiting = bell.rung(60_000, never.signal);
    bell.ring();
    await waiting;
    bell.ring();
    await bell.rung(60_000, never.signal);
    const cut = bell.rung(60_000, never.signal);
    never.abort();
    await cut;
  });
});
