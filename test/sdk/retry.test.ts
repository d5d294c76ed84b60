/** When a call is tried again, and how long that is waited for. Pure. */
import { expect, it } from 'vitest';
import { backoffMs, defaultRetryPolicy, retryAfterMs, sleep } from '../../sdk/calls/retry.ts';

const policy = { ...defaultRetryPolicy, delayMs: 100, delayMsMax: 1_000 };

it('waits a random part of a span that doubles and has an end', () => {
  expect([1, 2, 3, 4, 5, 60].map((failures) => backoffMs(failures, policy, () => 1))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
  expect(backoffMs(3, policy, () => 0.5)).toBe(200);
  expect(backoffMs(3, policy, () => 0)).toBe(0);
});

it('spreads clients that failed together', () => {
  const waits = new Set(Array.from({ length: 100 }, () => backoffMs(5, policy)));
  expect(waits.size).toBeGreaterThan(50);
});

it('reads what Retry-After asks for', () => {
  const now = Date.parse('2026-03-01T10:00:00Z');
  expect(retryAfterMs('7', now)).toBe(7_000);
  expect(retryAfterMs('Sun, 01 Mar 2026 10:00:30 GMT', now)).toBe(30_000);
  expect(retryAfterMs('Sun, 01 Mar 2026 09:00:00 GMT', now)).toBe(0);
  expect(retryAfterMs('soon', now)).toBeUndefined();
  expect(retryAfterMs(null, now)).toBeUndefined();
});

it('stops waiting when the signal says so, with its reason', async () => {
  const stop = new AbortController();
  const waiting = sleep(60_000, stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(sleep(60_000, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
});
