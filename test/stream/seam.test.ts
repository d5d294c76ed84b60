import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import { readPayment } from '../../src/actors/residents.ts';
import { paymentView } from '../../src/machines/payment/view.ts';
import { paymentStream } from '../../src/machines/streams.ts';
import { StreamClient } from './support/client.ts';
import { openDoor } from './support/door.ts';
import { JitteryLog, randomly } from './support/jittery-log.ts';
import { expectedOf, seen } from './support/oracle.ts';
import { paymentOf, Traffic } from './support/traffic.ts';

/**
 * Proves that there is no seam between snapshot or catch-up and live while payments are made all the time: the snapshot
 * is the state at its version, and the events after it are all those with a higher version, each once. Which race is hit
 * is left to chance here; interleavings.test.ts hits each of them.
 */
async function during(traffic: Traffic, work: () => Promise<void>): Promise<void> {
  const done = new AbortController();
  const paying = (async () => {
    while (!done.signal.aborted) await traffic.pay(5);
  })();
  await work().finally(() => done.abort());
  await paying;
}

describe('subscribing while payments are made', () => {
  it('gives a snapshot and exactly what comes after it', async () => {
    const log = new MemoryLog();
    const traffic = await Traffic.begin(log);
    const door = await openDoor(new JitteryLog(log, randomly(1, 4)));
    const clients: StreamClient[] = [];
    const subscribed: { client: StreamClient; topic: string }[] = [];
    await during(traffic, async () => {
      for (let round = 0; round < 20; round++) {
        const client = await StreamClient.connect(door.port);
        clients.push(client);
        const topics = ['account/w0', 'account/w1', 'account/w2', 'account/float:cash:XOF'];
        // Finished ones, those that are being made, and those that are to come.
        for (let ahead = -20; ahead < 60; ahead += 4) topics.push(`payment/${paymentOf(traffic.made + ahead)}`);
        for (const topic of topics) {
          subscribed.push({ client, topic });
          client.subscribe(topic);
        }
        await client.until(
          () => client.received.filter(({ snapshot }) => snapshot !== undefined).length === topics.length,
        );
      }
    });
    for (const { client, topic } of subscribed) {
      const expected = await expectedOf(log, topic);
      const { version, state } = await client.first(({ snapshot }) =>
        snapshot?.topic === topic ? snapshot : undefined,
      );
      await client.until(() => version + client.events(topic).length >= expected.length);
      expect([topic, seen(client.events(topic))]).toEqual([topic, expected.slice(version)]);
      if (topic.startsWith('payment/')) {
        const then = version === 0 ? undefined : await readPayment(log, paymentStream(topic.slice(8)), version);
        expect(state).toEqual(then === undefined ? null : JSON.parse(JSON.stringify(paymentView(then))));
      } else {
        expect(state).toMatchObject({ version });
      }
    }
    await Promise.all(clients.map((client) => client.close()));
    await door.close();
  });

  it('snapshots of a system account are the sum of its entries at their version', async () => {
    const log = new MemoryLog();
    const traffic = await Traffic.begin(log);
    const door = await openDoor(new JitteryLog(log, randomly(2, 3)));
    await during(traffic, async () => {
      for (let round = 0; round < 20; round++) {
        const client = await StreamClient.connect(door.port);
        const { version, state } = await client.snapshot('account/receivable:cash:XOF');
        let sum = 0n;
        let count = 0;
        for await (const row of log.readStream('system/receivable:cash:XOF')) {
          for (const { data } of row.events) if (++count <= version) sum += BigInt((data as { amount: string }).amount);
        }
        expect(state).toMatchObject({ posted: sum.toString(), version });
        await client.close();
      }
    });
    await door.close();
  });

  it('resuming gives exactly what comes after the position, from every position', async () => {
    const log = new MemoryLog();
    const traffic = await Traffic.begin(log);
    const door = await openDoor(new JitteryLog(log, randomly(3, 3)));
    const topics = ['payments', 'account/w1', 'account/float:cash:XOF'];
    const resumed: { client: StreamClient; after: number }[] = [];
    await during(traffic, async () => {
      for (let round = 0; round < 20; round++) {
        const client = await StreamClient.connect(door.port);
        const after = Math.max(0, log.store.last - round * 3);
        resumed.push({ client, after });
        for (const topic of topics) client.subscribe(topic, after);
        await client.until(() => client.received.filter(({ live }) => live !== undefined).length === topics.length);
      }
    });
    for (const { client, after } of resumed) {
      for (const topic of topics) {
        const expected = await expectedOf(log, topic, after);
        await client.until(() => client.events(topic).length >= expected.length);
        expect([topic, after, seen(client.events(topic))]).toEqual([topic, after, expected]);
      }
      await client.close();
    }
    await door.close();
  });
});
