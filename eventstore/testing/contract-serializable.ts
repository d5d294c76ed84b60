import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { Contract } from './harness.ts';
import { Deciders, decisions, violations } from './histories.ts';
import { collect, nextTurn } from './samples.ts';

/** How far the world gets before the next decision: nothing, a turn, or everything that is under way. */
const pauses = fc.oneof(
  { weight: 5, arbitrary: fc.constant('none' as const) },
  { weight: 2, arbitrary: fc.constant('turn' as const) },
  { weight: 1, arbitrary: fc.constant('all' as const) },
);

/** Random histories of several processes, two deciders in one of them, are serializable. */
export function serializableContract({ start, randomRuns }: Contract): void {
  describe('random histories', () => {
    test.prop(
      [fc.array(fc.tuple(decisions, pauses), { minLength: 5, maxLength: 60 }), fc.integer({ min: 1, max: 5 })],
      {
        numRuns: randomRuns,
        endOnFailure: true,
      },
    )(
      'each unit stands on what it was decided on; what was told is what is in the log',
      async (steps, batchUnitsMax) => {
        const { harness, log } = await start({ batchLimits: { batchUnitsMax } });
        const deciders = new Deciders(4, [log, harness.open(), harness.open({ batchLimits: { batchUnitsMax } })]);
        try {
          for (const [decision, pause] of steps) {
            await deciders.look(decision.decider);
            deciders.decide(decision);
            if (pause === 'turn') await nextTurn();
            while (pause === 'all' && deciders.pending > 0) await nextTurn();
          }
          while (deciders.pending > 0) await nextTurn();
          expect(violations(await collect(log.readAll(0)), deciders.outcomes, log.capabilities)).toEqual([]);
        } finally {
          await harness.dispose();
        }
      },
    );
  });
}
