import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { RecentMap } from './recent-map.ts';

/** Proves that a bounded memory never says anything wrong, holds the newest half of what it may, and no more than that. */
const step = fc.tuple(fc.constantFrom('set', 'get', 'delete'), fc.integer({ min: 0, max: 30 }));

test.prop([fc.array(step, { maxLength: 300 }), fc.integer({ min: 2, max: 24 })])(
  'what was set or asked for last is there, and never more than may be',
  (steps, max) => {
    const recent = new RecentMap<number, string>(max);
    // The last one is the newest; undefined where it was deleted.
    let model: (readonly [number, string | undefined])[] = [];
    for (const [index, [what, key]] of steps.entries()) {
      const known = model.find(([other]) => other === key);
      const others = model.filter(([other]) => other !== key);
      if (what === 'set') {
        recent.set(key, `value ${index}`);
        model = [...others, [key, `value ${index}`]];
      } else if (what === 'delete') {
        recent.delete(key);
        model = [...others, [key, undefined]];
      } else {
        const value = recent.get(key);
        if (value !== undefined) {
          expect(value).toBe(known?.[1]);
          model = [...others, [key, value]];
        }
      }
      expect(recent.size).toBeLessThanOrEqual(max + 1);
    }
    const newest = model.slice(-Math.floor(max / 2));
    const copy = newest.map(([key]) => recent.get(key));
    expect(copy).toEqual(newest.map(([, value]) => value));
  },
);
