import { expect, test } from 'vitest';
import { recoveryOf, type Sample } from './recovery.ts';

/** A request each 10 ms, from two seconds before the fault to six after it. */
function samples(latencyMs: (dueMs: number) => number): Sample[] {
  return Array.from({ length: 800 }, (_, index) => ({
    dueMs: index * 10 - 2_000,
    latencyMs: latencyMs(index * 10 - 2_000),
  }));
}

test('who was due while nothing was answered waits for the end of it, and it is over then', () => {
  // Nothing is answered for two seconds.
  const { p99BeforeMs, p99Ms, recoveryMs } = recoveryOf(samples((due) => (due >= 0 && due < 2_000 ? 2_005 - due : 5)));
  expect(p99BeforeMs).toBe(5);
  expect(p99Ms).toBeGreaterThan(1_900);
  // A few of the last ones are within what is as good as before.
  expect(recoveryMs).toBeGreaterThan(1_800);
  expect(recoveryMs).toBeLessThanOrEqual(2_000);
});

test('a fault that nobody noticed is over at once', () => {
  expect(recoveryOf(samples(() => 5))).toEqual({ p99BeforeMs: 5, p99Ms: 5, recoveryMs: 0 });
});

test('what never comes back is said to be so', () => {
  expect(recoveryOf(samples((due) => (due < 0 ? 5 : 900))).recoveryMs).toBe(Infinity);
});
