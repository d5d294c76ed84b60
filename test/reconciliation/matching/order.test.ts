import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { Examiner } from '../../../src/reconciliation/matching/examine.ts';
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
        today = Math.min(today + (at % 3 === 0 ? days : 0), lastDay);
        const examiner = examinerOf(batchSize);
        for (let times = 0; times < run; times++) {
          store.crashNext = crash && times === 0;
          await examiner.next().catch((error: unknown) => {
            if (!(error instanceof CrashError)) throw error;
          });
        }
        await examiner.end();
        store.whenLooked = undefined;
        await put();
      }
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

function statesOf(store: MemoryMatchingStore): Record<string, string> {
  return Object.fromEntries([
    ...[...store.lines].map(([id, one]) => [`line ${id}`, stateText(one)]),
    ...[...store.expectations].map(([id, one]) => [`expectation ${id}`, stateText(one)]),
  ]) as Record<string, string>;
}
