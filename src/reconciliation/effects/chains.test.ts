import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { chainsOf } from './chains.ts';

/** Proves that what shares a line or a payment stays in order, and that nothing else waits for it. */
describe('chains of effects', () => {
  const ids = (letter: string) =>
    fc.uniqueArray(
      fc.nat(8).map((one) => `${letter}${one}`),
      { maxLength: 3 },
    );
  const effects = fc
    .array(fc.record({ lineIds: ids('l'), expectationIds: ids('e') }), { maxLength: 12 })
    .map((all) => all.filter(({ lineIds, expectationIds }) => lineIds.length + expectationIds.length > 0));
  const share = (a: { lineIds: string[]; expectationIds: string[] }, b: typeof a): boolean =>
    a.lineIds.some((id) => b.lineIds.includes(id)) || a.expectationIds.some((id) => b.expectationIds.includes(id));

  test.prop([effects])('hold everything once, in order, and whatever shares something', (all) => {
    const chains = chainsOf(all);
    expect(chains.flat()).toHaveLength(all.length);
    expect(new Set(chains.flat())).toEqual(new Set(all));
    for (const chain of chains) {
      expect(chain.map((one) => all.indexOf(one))).toEqual(chain.map((one) => all.indexOf(one)).sort((a, b) => a - b));
      // It hangs together: from the first one everything is reached.
      const reached = new Set(chain.slice(0, 1));
      for (let before = 0; before < reached.size;) {
        before = reached.size;
        for (const one of chain) if ([...reached].some((other) => share(one, other))) reached.add(one);
      }
      expect(reached.size).toBe(chain.length);
    }
    for (const [at, chain] of chains.entries())
      for (const other of chains.slice(at + 1))
        expect(chain.some((one) => other.some((another) => share(one, another)))).toBe(false);
  });
});
