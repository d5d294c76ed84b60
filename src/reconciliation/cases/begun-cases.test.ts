import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { BegunCases } from './begun-cases.ts';

/** Proves that a case that fails for ever waits, comes again, and takes nobody's turn. */
describe('begun cases', () => {
  const ids = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 6 });

  test.prop([ids, ids, fc.integer({ min: 1, max: 40 })])(
    'that never failed come first, whoever else fails',
    (bad, good, rounds) => {
      const begun = new BegunCases();
      const fresh = good.filter((id) => !bad.includes(id));
      let at = 0;
      for (let round = 0; round < rounds; round++) {
        const due = begun.due([...bad, ...fresh], new Date(at));
        const failing = due.filter((id) => bad.includes(id));
        if (round > 0) expect(due.slice(0, fresh.length).sort()).toEqual(fresh.toSorted());
        for (const id of failing) begun.failed(id, new Date(at));
        expect(begun.due(failing, new Date(at))).toEqual([]);
        // Within five minutes it has its turn again, however often it failed.
        at += 300_000;
      }
      expect([...begun.due(bad, new Date(at))].sort()).toEqual(bad.toSorted());
    },
  );

  test.prop([ids])('are forgotten when they are not begun any more', (bad) => {
    const begun = new BegunCases();
    for (const id of bad) begun.failed(id, new Date(0));
    expect(begun.due([], new Date(0))).toEqual([]);
    expect(begun.due(bad, new Date(0))).toHaveLength(bad.length);
  });
});
