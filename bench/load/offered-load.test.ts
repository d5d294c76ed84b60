import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { offeredLoad } from './offered-load.ts';
import { percentile } from './percentiles.ts';
import { Seeded } from './seeded.ts';

const load = { perSecond: 500, random: new Seeded(7), warmupMs: 50, measureMs: 400 };

test('so many are sent as were asked for, however slowly they are answered', async () => {
  const result = await offeredLoad({ ...load, send: () => sleep(100) });
  expect(result.latenciesMs.length).toBeGreaterThan(120);
  expect(result.latenciesMs.length).toBeLessThan(280);
  expect(percentile(result.latenciesMs, 0.5)).toBeGreaterThanOrEqual(99);
});

test('a stall counts for all that it delayed, not only for the one that stalled', async () => {
  let stalled = false;
  const result = await offeredLoad({
    ...load,
    send: () => {
      if (!stalled) {
        stalled = true;
        const until = performance.now() + 300;
        while (performance.now() < until);
      }
      return Promise.resolve();
    },
    warmupMs: 0,
  });
  expect(result.latenciesMs.filter((latencyMs) => latencyMs > 50).length).toBeGreaterThan(20);
});
