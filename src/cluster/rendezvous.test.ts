import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { hashOf, preferred } from './rendezvous.ts';

/** Proves that placement moves no more than it must, and that all processes agree on it. */
const ids = fc.uniqueArray(fc.uuid(), { minLength: 2, maxLength: 12 });
const membersOf = (names: readonly string[]) => names.map((id) => ({ id, hash: hashOf(id) }));

describe('the preferred owner', () => {
  it.prop([ids, fc.nat(), fc.array(fc.string())])(
    'of keys changes only where it was the one that left',
    (names, nth, keys) => {
      const gone = names[nth % names.length];
      const before = membersOf(names);
      const after = before.filter(({ id }) => id !== gone);
      for (const key of keys) {
        const owner = preferred(before, key);
        if (owner?.id === gone) expect(preferred(after, key)?.id).not.toBe(gone);
        else expect(preferred(after, key)).toBe(owner);
      }
    },
  );

  it.prop([ids, fc.string()])('does not depend on the order of the list', (names, key) => {
    expect(preferred(membersOf(names.toReversed()), key)?.id).toBe(preferred(membersOf(names), key)?.id);
  });

  it('is nobody where there is nobody', () => {
    expect(preferred(membersOf([]), 'ada')).toBeUndefined();
  });

  it('has about its share of the keys', () => {
    const members = membersOf(['a', 'b', 'c', 'd']);
    const counts = new Map<string | undefined, number>();
    for (let number = 0; number < 40_000; number++) {
      const id = preferred(members, `customer-${number}`)?.id;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    for (const { id } of members) expect(counts.get(id)).toBeGreaterThan(9_000);
  });
});
