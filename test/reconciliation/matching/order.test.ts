import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { Examiner } from '../../../src/reconciliation/matching/examine.ts';
import type { Expectation, ExternalLine } from '../../../src/reconciliation/matching/sides.ts';
import { CrashError, MemoryMatchingStore } from './support/memory-store.ts';
import { oracle } from './support/oracle.ts';
import { matchText, settledByEffects, settledByMatches, stateText } from './support/outcomes.ts';
import { firstDay, lastDay, rules, worlds } from './support/worlds.ts';

/** Proves that what is matched in the end depends on what is there, and never on the order, the batches or the crashes in which it came. */
describe('matching, a piece at a time', () => {
  const steps = fc.array(
    fc.record({
      run: fc.nat(4),
      batchSize: fc.integer({ min: 1, max: 5 }),
      days: fc.nat(2),
      crash: fc.boolean(),
      /** It is fed while somebody reads ahead, before what was read before is written. */
      meanwhile: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  );

  test.prop([worlds, steps], { numRuns: Number(process.env['KORA_MATCHING_RUNS'] ?? 1_000) })(
    'comes to what everything at once comes to',
    async ({ lines, expectations, decisions, feeds }, plan) => {
      const store = new MemoryMatchingStore();
      let today = firstDay;
      const examinerOf = (batchSize: number) => new Examiner({ store, runId: 'r', today, rules, batchSize });
      // What is fed comes between what one and the same has read and will write.
      let examiner = examinerOf(plan[0]?.batchSize ?? 1);
      for (const [at, feed] of feeds.entries()) {
        let isFed = false;
        const put = async (): Promise<void> => {
          if (isFed) return;
          isFed = true;
          await store.put(feed);
        };
        const step = plan[at % plan.length];
        if (step === undefined) throw new Error('a plan without steps');
        const { run, batchSize, days, crash, meanwhile } = step;
        // Changes wait until nobody matches, and a store that was cut off knows nothing of them.
        if (meanwhile && !crash && store.isNew(feed)) store.whenLooked = put;
        else await put();
        if (at % 3 === 0 && days > 0) {
          today = Math.min(today + days, lastDay);
          await examiner.end();
          examiner = examinerOf(batchSize);
        }
        for (let times = 0; times < run; times++) {
          store.crashNext = crash && times === 0;
          await examiner.next().catch((error: unknown) => {
            if (!(error instanceof CrashError)) throw error;
          });
        }
        store.whenLooked = undefined;
        await put();
      }
      await examiner.end();
      store.crashNext = false;
      today = lastDay;
      let rounds = 0;
      const last = examinerOf(3);
      while ((await last.next()) !== undefined) if (rounds++ > 200) throw new Error('it never comes to an end');

      const wanted = oracle(lines, expectations, decisions, rules, lastDay);
      const standing = [...store.matches.values()].filter(({ ended }) => !ended);
      expect(standing.map(matchText).sort()).toEqual(wanted.matches);
      expect(statesOf(store)).toEqual(wanted.states);
      const ids = store.effects.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(settledByEffects(store.effects)).toEqual(settledByMatches(standing));
    },
  );
});

/** Proves that what is fed between the reading of two portions is held against both. */
describe('what is fed while a portion is worked on', () => {
  it('is found by what it is booked together with', async () => {
    const store = new MemoryMatchingStore();
    await store.put({ lines: [lineOf('l0', { tokens: ['batch'], amount: 100n })] });
    const expectations = [
      expectationOf('e0', { groupTokens: ['batch'], amount: 60n }),
      expectationOf('e1', { groupTokens: ['batch'], amount: 40n }),
    ];
    store.whenLooked = async () => {
      store.whenLooked = undefined;
      await store.put({ expectations });
    };
    const examiner = new Examiner({ store, runId: 'r', today: lastDay, rules, batchSize: 2 });
    while ((await examiner.next()) !== undefined);
    expect(statesOf(store)).toEqual({ 'line l0': 'MATCHED', 'expectation e0': 'MATCHED', 'expectation e1': 'MATCHED' });
  });

  it('is a neighbour of what lost its reference', async () => {
    const store = new MemoryMatchingStore();
    const weak = { counterparty: 'c', amount: 100n };
    // The line is the batch's until a payment of its own comes: then what was booked together is anybody's again.
    await store.put({ lines: [lineOf('l0', { tokens: ['batch', 'own'], amount: 70n })] });
    await store.put({ expectations: [expectationOf('e0', { groupTokens: ['batch'], ...weak })] });
    const before = new Examiner({ store, runId: 'r', today: firstDay, rules, batchSize: 10 });
    while ((await before.next()) !== undefined);
    await store.put({ expectations: [expectationOf('e1', { tokens: ['own'], amount: 70n })] });
    store.whenLooked = async () => {
      store.whenLooked = undefined;
      await store.put({ lines: [lineOf('l1', weak)] });
    };
    const examiner = new Examiner({ store, runId: 's', today: lastDay, rules, batchSize: 1 });
    while ((await examiner.next()) !== undefined);
    expect(statesOf(store)).toEqual({
      'line l0': 'MATCHED',
      'line l1': 'MATCHED',
      'expectation e0': 'MATCHED',
      'expectation e1': 'MATCHED',
    });
  });
});

const day = '2026-11-02';
function lineOf(id: string, more: Partial<ExternalLine>): ExternalLine {
  const none = { tokens: [], textTokens: [], reversal: false, held: false };
  return { id, profile: 'a', account: 'x', amount: 100n, currency: 'CZK', valueDate: day, ...none, ...more };
}

function expectationOf(id: string, more: Partial<Expectation>): Expectation {
  const none = { tokens: [], groupTokens: [], position: 1 };
  return { id, profile: 'a', direction: 'in', amount: 100n, currency: 'CZK', date: day, ...none, ...more };
}

function statesOf(store: MemoryMatchingStore): Record<string, string> {
  return Object.fromEntries([
    ...[...store.lines].map(([id, one]) => [`line ${id}`, stateText(one)]),
    ...[...store.expectations].map(([id, one]) => [`expectation ${id}`, stateText(one)]),
  ]) as Record<string, string>;
}
