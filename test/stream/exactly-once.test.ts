import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import type { StreamDoor } from '../../src/gateway/stream/index.ts';
import { openDoor } from './support/door.ts';
import { JitteryLog, randomly } from './support/jittery-log.ts';
import { expectedOf, seen } from './support/oracle.ts';
import { ResumingClient } from './support/resuming-client.ts';
import { paymentOf, Traffic } from './support/traffic.ts';

/**
 * Proves invariant 8: a client that keeps one position per topic sees each event of its topics exactly once, in order,
 * across cut connections, restarts of the server, and a second server on the same log.
 */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('pay' as const), count: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pay meanwhile' as const), count: fc.integer({ min: 1, max: 30 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('go to the other server' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('watch' as const), topic: fc.integer({ min: 0, max: 60 }) }) },
);

/** Some of the topics there are; what `watch` picks from. */
function topicOf(index: number): string {
  if (index < 4) return `account/w${index}`;
  if (index < 6) return 'account/float:cash:XOF';
  return `payment/${paymentOf(index - 6)}`;
}

/** Payments all the time, so that everything else happens in the middle of some. */
async function trickle(traffic: Traffic, turns: () => number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await traffic.pay(1 + turns());
    for (let left = turns(); left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('invariant 8', () => {
  test.prop({ steps: fc.array(step, { minLength: 4, maxLength: 25 }), seed: fc.integer() }, { numRuns: 60 })(
    'each event exactly once, in order',
    async ({ steps, seed }) => {
      const log = new MemoryLog();
      const traffic = await Traffic.begin(log);
      const jitter = randomly(seed, 4);
      const open = (): Promise<StreamDoor> => openDoor(new JitteryLog(log, jitter));
      let doors = [await open(), await open()];
      const port = (): number => doors[0]?.port ?? 0;
      const client = new ResumingClient();
      await client.connect(port());
      client.watch('payments', 0);
      const meanwhile: Promise<void>[] = [];
      const ended = new AbortController();
      meanwhile.push(trickle(traffic, jitter, ended.signal));
      for (const step of steps) {
        switch (step.do) {
          case 'pay':
            await traffic.pay(step.count);
            break;
          case 'pay meanwhile':
            meanwhile.push(traffic.pay(step.count));
            break;
          case 'cut':
            await client.cut();
            await client.connect(port());
            break;
          case 'restart': {
            const gone = client.gone();
            await doors[0]?.close();
            expect(await gone).toMatchObject({ code: 1001 });
            doors = [await open(), ...doors.slice(1)];
            await client.connect(port());
            break;
          }
          case 'go to the other server':
            await client.cut();
            doors.reverse();
            await client.connect(port());
            break;
          case 'wait':
            for (let left = step.turns; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
            break;
          case 'watch':
            if (!client.topics.has(topicOf(step.topic))) client.watch(topicOf(step.topic));
            break;
        }
      }
      ended.abort();
      await Promise.all(meanwhile);
      for (const [topic, kept] of client.topics) {
        const all = await expectedOf(log, topic);
        await client.until(() => topic === 'payments' || kept.snapshot !== undefined);
        const expected = all.slice(kept.snapshot?.version ?? 0);
        await client.until(() => kept.events.length >= expected.length);
        expect([topic, seen(kept.events)]).toEqual([topic, expected]);
      }
      await client.cut();
      await Promise.all(doors.map((door) => door.close()));
    },
    120_000,
  );
});
