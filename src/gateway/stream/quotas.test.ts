import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { Quotas } from './quotas.ts';

/** Proves that shares are taken under all keys or none, never above the bound, and given back without a trace. */
const keys = fc.record({ a: fc.constantFrom('x', 'y'), b: fc.constantFrom('1', '2', '3') });

test.prop({ steps: fc.array(fc.record({ keys, take: fc.boolean() }), { maxLength: 200 }) })(
  'what is used is what was taken and not given back',
  ({ steps }) => {
    const max = { a: 5, b: 3 };
    const quotas = new Quotas(max);
    const taken: (typeof steps)[number]['keys'][] = [];
    const count = (name: 'a' | 'b', key: string): number => taken.filter((one) => one[name] === key).length;
    for (const { keys, take } of steps) {
      if (take) {
        const expected = count('a', keys.a) >= max.a ? 'a' : count('b', keys.b) >= max.b ? 'b' : undefined;
        expect(quotas.take(keys)).toBe(expected);
        if (expected === undefined) taken.push(keys);
      } else {
        const last = taken.pop();
        if (last !== undefined) quotas.give(last);
      }
      for (const key of ['x', 'y']) expect(quotas.used('a', key)).toBe(count('a', key));
      for (const key of ['1', '2', '3']) expect(quotas.used('b', key)).toBe(count('b', key));
    }
  },
);
