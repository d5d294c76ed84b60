import { expect, it } from 'vitest';
import { MessageRate } from './message-rate.ts';

it('so many may come at once, then as many as time brings, and no more than at once after a pause', () => {
  const rate = new MessageRate(10, 3, 1_000);
  const taken = (now: number, tries = 5): number =>
    Array.from({ length: tries }, () => rate.take(now)).filter((may) => may).length;
  expect(taken(1_000)).toBe(3);
  expect(taken(1_099)).toBe(0);
  expect(taken(1_100)).toBe(1);
  expect(taken(1_300)).toBe(2);
  expect(taken(60_000)).toBe(3);
});
