import { describe, expect, it } from 'vitest';
import { StreamClient } from '../support/client.ts';
import { HeldReadsLog } from '../support/held-reads-log.ts';
import { errorsOf, type Stage } from '../support/stage.ts';

/** How many may connect, how much they may watch, how much they may say. */
export function limits(stage: () => Stage): void {
  describe('a bounded number of connections', () => {
    const tooMany = { status: 429, code: 'TooManyConnections' };

    it('in all: the next one is refused until one of them goes', async () => {
      await stage().open({ connectionsMax: 2 });
      await stage().connect();
      const second = await stage().connect();
      expect(await stage().refusal()).toEqual({ status: 503, code: 'Overloaded' });
      await second.close();
      await stage().untilSessions(1);
      await stage().connect();
    });

    it('of one principal, by whatever token; others come in', async () => {
      await stage().open({ connectionsPerPrincipalMax: 2 });
      stage().tokens.user('ada', 'ada');
      stage().tokens.user('ada-again', 'ada');
      stage().tokens.user('ben', 'ben');
      const first = await stage().connect({ token: 'ada' });
      await stage().connect({ token: 'ada-again' });
      expect(await stage().refusal({ token: 'ada' })).toEqual(tooMany);
      await stage().connect({ token: 'ben' });
      await first.close();
      await stage().untilSessions(2);
      await stage().connect({ token: 'ada' });
    });

    it('from one address; others come in', async () => {
      await stage().open({ connectionsPerAddressMax: 2 });
      await stage().connect();
      const second = await stage().connect();
      expect(await stage().refusal()).toEqual(tooMany);
      await stage().connect({ localAddress: '127.0.0.2' });
      await second.close();
      await stage().untilSessions(2);
      await stage().connect();
    });

    it('from one address behind a proxy of ours; what others say of theirs is not believed', async () => {
      await stage().open({ connectionsPerAddressMax: 1 }, { trustedProxies: ['127.0.0.2'] });
      const from = (client: string): object => ({ localAddress: '127.0.0.2', forwardedFor: client });
      await stage().connect(from('198.51.100.1'));
      await stage().connect(from('198.51.100.2'));
      expect(await stage().refusal(from('6.6.6.6, 198.51.100.2'))).toEqual(tooMany);
      await stage().connect({ forwardedFor: '198.51.100.3' });
      expect(await stage().refusal({ forwardedFor: '198.51.100.4' })).toEqual(tooMany);
    });

    it('counts those whose tokens are being looked at, and forgets those that were refused or went', async () => {
      await stage().open({ connectionsMax: 3 });
      for (let round = 0; round < 5; round++) await stage().refusal({ token: 'bad' });
      let answer = (): void => undefined;
      stage().tokens.held = new Promise((resolve) => (answer = resolve));
      const asked = stage().tokens.asked + 3;
      const impatient = [0, 1, 2].map(() => new StreamClient(stage().door.port));
      while (stage().tokens.asked < asked) await new Promise((resolve) => setImmediate(resolve));
      expect(await stage().refusal()).toEqual({ status: 503, code: 'Overloaded' });
      for (const { socket } of impatient) socket.terminate();
      await Promise.all(impatient.map(({ closed }) => closed));
      answer();
      stage().tokens.held = undefined;
      for (let connected = 0; connected < 3;) {
        // The door may learn a moment later that they went.
        await stage()
          .connect()
          .then(() => (connected += 1))
          .catch(() => undefined);
      }
    });
  });

  describe('a bounded number of subscriptions', () => {
    const full = (topic: string): object => ({ code: 'TooManySubscriptions', topic });

    it('on one connection: the next one is refused until one of them ends', async () => {
      await stage().open({ subscriptionsMax: 3 });
      const client = await stage().connect();
      for (const id of ['a', 'b', 'c']) await client.snapshot(`payment/${id}`);
      client.subscribe('payment/d');
      expect(await client.first(({ error }) => error)).toMatchObject(full('payment/d'));
      client.send({ unsubscribe: { topic: 'payment/a' } });
      await client.snapshot('payment/d');
    });

    it.each(['subscriptionsPerPrincipalMax', 'subscriptionsPerAddressMax', 'subscriptionsInAllMax'] as const)(
      '%s: over all connections, until one of them goes',
      async (limit) => {
        await stage().open({ [limit]: 3 });
        const [one, other] = [await stage().connect(), await stage().connect()];
        for (const id of ['a', 'b']) await one.snapshot(`payment/${id}`);
        await other.snapshot('payment/a');
        other.subscribe('payment/c');
        expect(await other.first(({ error }) => error)).toMatchObject(full('payment/c'));
        await one.close();
        await stage().untilSessions(1);
        await other.snapshot('payment/c');
        await other.snapshot('payment/d');
        other.subscribe('payment/e');
        await other.until(() => errorsOf(other).length === 2);
      },
    );

    it('counts those that were given up while they waited for the log, until they notice', async () => {
      const log = new HeldReadsLog();
      await stage().open({ subscriptionsPerPrincipalMax: 3 }, { log });
      const client = await stage().connect();
      log.reads.hold();
      for (const id of ['a', 'b', 'c']) client.subscribe(`payment/${id}`);
      client.send({ ping: 'all are reading' });
      await client.first(({ pong }) => pong);
      for (const id of ['a', 'b', 'c']) client.send({ unsubscribe: { topic: `payment/${id}` } });
      client.subscribe('payment/d');
      expect(await client.first(({ error }) => error)).toMatchObject(full('payment/d'));
      log.reads.open();
      for (let tries = 1; !client.received.some(({ snapshot }) => snapshot?.topic === 'payment/d'); tries++) {
        client.subscribe('payment/d');
        client.send({ ping: tries });
        await client.first(({ pong }) => (pong === tries ? true : undefined));
      }
    });

    it('counts by principal and by address, each for itself', async () => {
      await stage().open({ subscriptionsPerPrincipalMax: 1, subscriptionsPerAddressMax: 2 });
      stage().tokens.service('second', { principal: 'service:second' });
      stage().tokens.service('third', { principal: 'service:third' });
      const [one, same] = [await stage().connect(), await stage().connect()];
      await one.snapshot('payment/a');
      same.subscribe('payment/a');
      expect(await same.first(({ error }) => error)).toMatchObject(full('payment/a'));
      await (await stage().connect({ token: 'second' })).snapshot('payment/a');
      const here = await stage().connect({ token: 'third' });
      here.subscribe('payment/a');
      expect(await here.first(({ error }) => error)).toMatchObject(full('payment/a'));
      const elsewhere = await stage().connect({ token: 'third', localAddress: '127.0.0.2' });
      await elsewhere.snapshot('payment/a');
    });
  });

  describe('messages', () => {
    it('that are too big close the connection', async () => {
      await stage().open({ messageBytesMax: 4_096 });
      const client = await stage().connect();
      client.send({ ping: 'x'.repeat(4_096) });
      expect(await client.closed).toMatchObject({ code: 1009 });
    });

    it('that are far too big close it too, or cut it off', async () => {
      await stage().open({ messageBytesMax: 4_096 });
      const client = await stage().connect();
      client.send({ ping: 'x'.repeat(1_000_000) });
      expect([1006, 1009]).toContain((await client.closed).code);
      await stage().untilSessions(0);
    });

    it('that come too fast close the connection, and say where to resume', async () => {
      await stage().open({ messagesAtOnce: 20, messagesPerSecond: 1 });
      const client = await stage().connect();
      for (let index = 0; index < 100; index++) client.send({ ping: index });
      expect(await client.closed).toEqual({ code: 4429, reason: '{"after":0}' });
      expect(client.received.filter(({ pong }) => pong !== undefined)).toHaveLength(20);
    });

    it('pings of the protocol count as messages', async () => {
      await stage().open({ messagesAtOnce: 20, messagesPerSecond: 1 });
      const client = await stage().connect();
      for (let index = 0; index < 100; index++) client.socket.ping();
      expect(await client.closed).toMatchObject({ code: 4429 });
    });

    it('may come as fast as they may come in the long run', async () => {
      await stage().open({ messagesAtOnce: 5, messagesPerSecond: 200 });
      const client = await stage().connect();
      for (let index = 0; index < 40; index++) {
        client.send({ ping: index });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await client.first(({ pong }) => (pong === 39 ? true : undefined));
    });
  });
}
