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
 * Proves that there is no seam between snapshot or catch-up and live, whatever is appended while a client subscribes:
 * the snapshot is the state at its version, and the events after it are all those with a higher version, each once.
 */
describe('subscribing while payments are made', () => {
  it('gives a snapshot and exactly what comes after it', async () => {
    const log = new MemoryLog();
    const traffic = await Traffic.begin(log);
    const turns = randomly(1, 4);
    const door = await openDoor(new JitteryLog(log, turns));
    const client = await StreamClient.connect(door.port);
    const topics: string[] = [];
    for (let round = 0; round < 150; round++) {
      const paying = traffic.pay(6);
      // A payment that is being made, one that is finished, one that is to come, and the accounts that all of them touch.
      const chosen = [traffic.made - 4, traffic.made - 20, traffic.made + 3].map(
        (index) => `payment/${paymentOf(index)}`,
      );
      if (round % 10 === 0) chosen.push(`account/w${(round / 10) % 4}`, 'account/float:cash:XOF');
      for (const topic of chosen) {
        if (topics.includes(topic)) continue;
        topics.push(topic);
        client.subscribe(topic);
        for (let left = turns(); left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
      }
      await paying;
    }
    for (const topic of topics) {
      const expected = await expectedOf(log, topic);
      const { version, state } = await client.first(({ snapshot }) =>
        snapshot?.topic === topic ? snapshot : undefined,
      );
      await client.until(() => version + client.events(topic).length >= expected.length);
      expect([topic, seen(client.events(topic))]).toEqual([topic, expected.slice(version)]);
      if (topic.startsWith('payment/')) {
        const then = version === 0 ? undefined : await readPayment(log, paymentStream(topic.slice(8)), version);
        expect(state).toEqual(then === undefined ? null : JSON.parse(JSON.stringify(paymentView(then))));
      }
    }
    expect(topics.length).toBeGreaterThan(400);
    await client.close();
    await door.close();
  });

  it('snapshots of a system account are the sum of its entries at their version', async () => {
    const log = new MemoryLog();
    const traffic = await Traffic.begin(log);
    const door = await openDoor(new JitteryLog(log, randomly(2, 3)));
    for (let round = 0; round < 20; round++) {
      const paying = traffic.pay(10);
      const client = await StreamClient.connect(door.port);
      const { version, state } = await client.snapshot('account/receivable:cash:XOF');
      let sum = 0n;
      let count = 0;
      for await (const row of log.readStream('system/receivable:cash:XOF')) {
        for (const { data } of row.events) if (++count <= version) sum += BigInt((data as { amount: string }).amount);
      }
      expect(state).toMatchObject({ posted: sum.toString(), version });
      await Promise.all([paying, client.close()]);
    }
    await door.close();
  });

  it('resuming gives exactly what comes after the position, from every position', async () => {
    const log = new MemoryLog();
    const traffic = await Traffic.begin(log);
    const door = await openDoor(new JitteryLog(log, randomly(3, 3)));
    for (let round = 0; round < 60; round++) {
      const paying = traffic.pay(8);
      const client = await StreamClient.connect(door.port);
      const after = Math.max(0, log.store.last - round * 3);
      for (const topic of ['payments', 'account/w1']) client.subscribe(topic, after);
      await paying;
      for (const topic of ['payments', 'account/w1']) {
        const expected = await expectedOf(log, topic, after);
        await client.until(() => client.events(topic).length >= expected.length);
        expect([topic, after, seen(client.events(topic))]).toEqual([topic, after, expected]);
      }
      await client.close();
    }
    await door.close();
  });
});
