import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import type { StreamDoor } from '../../src/gateway/stream/index.ts';
import { openDoor, transports } from './support/door.ts';
import { JitteryLog, randomly } from './support/jittery-log.ts';
import { expectedOf, seen } from './support/oracle.ts';
import { ResumingClient } from './support/resuming-client.ts';
import { paymentOf, Traffic } from './support/traffic.ts';

/**
 * Proves invariant 8: a client that keeps one position per topic sees each event of its topics exactly once, in order,
 * across cut connections, restarts of the server, a second server on the same log, and times in which it reads nothing
 * until it is sent away for it. On real sockets, and on either server behind the transport port.
 */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('pay' as const), count: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pay meanwhile' as const), count: fc.integer({ min: 1, max: 30 }) }),
  },
  // Long messages: more than the sockets hold for a client that does not read.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('storm' as const), count: fc.integer({ min: 20, max: 120 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('read nothing until sent away' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('stop reading' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read on' as const) }) },
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

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Every ending that a connection may have, whatever chance brings. */
const harmful: readonly Step[] = [
  { do: 'pay', count: 3 },
  { do: 'wait', turns: 30 },
  { do: 'read nothing until sent away' },
  { do: 'pay meanwhile', count: 30 },
  { do: 'cut' },
  { do: 'wait', turns: 30 },
  { do: 'restart' },
  { do: 'go to the other server' },
];

/** Payments all the time, so that everything else happens in the middle of some. */
async function trickle(traffic: Traffic, turns: () => number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await traffic.pay(1 + turns());
    for (let left = turns(); left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
  }
}

const heavy = 'x'.repeat(60_000);
/** Low, so that a client that does not read is soon too slow. */
const limits = { bufferedBytesMax: 65_536 };

describe.each(transports)('invariant 8, on %s', (transport) => {
  /** How connections ended, over all runs. */
  const endings = new Set<number>();

  test.prop(
    { steps: fc.array(step, { minLength: 4, maxLength: 25 }), seed: fc.integer() },
    { numRuns: 40, examples: [{ steps: [...harmful], seed: 1 }] },
  )(
    'each event exactly once, in order',
    async ({ steps, seed }) => {
      const log = new MemoryLog();
      const traffic = await Traffic.begin(log);
      const jitter = randomly(seed, 4);
      const open = (): Promise<StreamDoor> => openDoor(new JitteryLog(log, jitter), limits, { transport });
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
          case 'storm':
            meanwhile.push(traffic.pay(step.count, heavy));
            break;
          case 'read nothing until sent away': {
            client.reads(false);
            const sessions = (): number => doors[0]?.feed.store.getSnapshot().context.sessions ?? 0;
            // One that is still catching up is waited for, and not sent away.
            for (let round = 0; round < 100 && sessions() > 0; round++) await traffic.pay(4, heavy);
            client.reads(true);
            if (sessions() > 0) break;
            await client.gone();
            await client.connect(port());
            break;
          }
          case 'stop reading':
          case 'read on':
            client.reads(step.do === 'read on');
            break;
          case 'cut':
            await client.cut();
            await client.connect(port());
            break;
          case 'restart': {
            // What it has not taken by the end of the server's patience is lost to this connection.
            client.reads(true);
            const gone = client.gone();
            await doors[0]?.close();
            expect([1001, 1006, 4008]).toContain((await gone)?.code);
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
      client.reads(true);
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
      for (const code of client.endings) endings.add(code);
    },
    300_000,
  );

  it('and the runs were not all harmless', () => {
    expect([...endings]).toEqual(expect.arrayContaining([1001, 1006, 4008]));
  });
});
