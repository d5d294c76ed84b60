import { describe, expect, it } from 'vitest';
import { expectedOf, seen, type Expected } from '../support/oracle.ts';
import type { Stage } from '../support/stage.ts';
import { paymentOf, Traffic } from '../support/traffic.ts';

/** Many topics on one socket, and many events on one topic. */
export function muchAtOnce(stage: () => Stage): void {
  describe('much at once', () => {
    it('2,000 subscriptions on one socket are each told of theirs', async () => {
      const { log } = stage();
      await stage().open();
      const traffic = await Traffic.begin(log);
      const client = await stage().connect();
      const topics = new Map(Array.from({ length: 2_000 }, (_, index) => [paymentOf(index), [] as Expected[]]));
      for (const id of topics.keys()) client.subscribe(`payment/${id}`);
      const snapshots = (): number => client.received.filter(({ snapshot }) => snapshot !== undefined).length;
      while (snapshots() < 2_000) await client.changed();
      expect(stage().door.feed.store.getSnapshot().context.topics.size).toBe(2_000);
      for (let round = 0; round < 4; round++) await traffic.pay(500);
      let expected = 0;
      for (const event of await expectedOf(log, 'payments')) {
        // Others are of what the wallets began with.
        if (topics.get(event.id)?.push(event) !== undefined) expected += 1;
      }
      let told = 0;
      let read = 0;
      await client.until(() => {
        for (; read < client.received.length; read++) told += client.received[read]?.unit?.events.length ?? 0;
        return told >= expected;
      });
      for (const [id, events] of topics) expect(seen(client.events(`payment/${id}`))).toEqual(events);
    });

    it('a storm on one topic reaches all who watch it, in order, each event once', async () => {
      const { log } = stage();
      const traffic = await Traffic.begin(log);
      await stage().open();
      const clients = [];
      for (let index = 0; index < 20; index++) clients.push(await stage().connect());
      const topic = 'account/w0';
      const from = log.store.last;
      for (const client of clients) await client.live(topic, from);
      for (let round = 0; round < 25; round++) await traffic.pay(400);
      const expected = await expectedOf(log, topic, from);
      expect(expected.length).toBeGreaterThan(3_000);
      for (const client of clients) {
        await client.until(() => client.events(topic).length >= expected.length);
        expect(seen(client.events(topic))).toEqual(expected);
      }
    });
  });
}
