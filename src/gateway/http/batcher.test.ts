import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.ts';

/** Proves that questions are gathered while one is under way, and that each gets its own answer. */
describe('a batcher', () => {
  it('asks at once what came meanwhile, in order, and not more than fits', async () => {
    const batches: number[][] = [];
    const doubled = new Batcher<number, number>(
      async (numbers) => {
        batches.push([...numbers]);
        await turn();
        return numbers.map((number) => number * 2);
      },
      { batchMax: 3 },
    );
    const first = doubled.ask(1);
    await turn();
    const rest = [2, 3, 4, 5].map((number) => doubled.ask(number));
    expect(await Promise.all([first, ...rest])).toEqual([2, 4, 6, 8, 10]);
    expect(batches).toEqual([[1], [2, 3, 4], [5]]);
  });

  it('fails only those that were in the batch, and goes on', async () => {
    const fussy = new Batcher<number, number>(
      (numbers) => (numbers.includes(13) ? Promise.reject(new Error('no')) : Promise.resolve(numbers)),
      { batchMax: 1 },
    );
    const answers = await Promise.allSettled([fussy.ask(12), fussy.ask(13), fussy.ask(14)]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('waits for others to come along where it may, and is not idle while it waits', async () => {
    const batches: number[][] = [];
    const patient = new Batcher<number, number>(
      (numbers) => {
        batches.push([...numbers]);
        return Promise.resolve(numbers);
      },
      { lingerMs: 20 },
    );
    const first = patient.ask(1);
    await turn();
    const second = patient.ask(2);
    await patient.idle();
    expect(await Promise.all([first, second])).toEqual([1, 2]);
    expect(batches).toEqual([[1, 2]]);
  });

  it('is idle when nothing is under way', async () => {
    let open = 0;
    const slow = new Batcher<number, number>(async (numbers) => {
      open += 1;
      await turn();
      open -= 1;
      return numbers;
    });
    void slow.ask(1);
    await slow.idle();
    expect(open).toBe(0);
  });
});
