import { beforeEach, describe, expect, it } from 'vitest';
import { errorsOf, type Stage } from '../support/stage.ts';

/** What may be said, and what the answers are. */
export function messages(stage: () => Stage): void {
  describe('messages', () => {
    beforeEach(() => stage().open());

    it('that make no sense are answered, and after some the client is sent away', async () => {
      const client = await stage().connect();
      const nonsense = ['hello', '[]', '{}', '{"subscribe":{}}', '{"subscribe":{"topic":"weather"}}'];
      for (const text of nonsense) client.socket.send(text);
      expect(await client.closed).toEqual({ code: 4400, reason: '{"after":0}' });
      expect(errorsOf(client)).toEqual(['BadMessage', 'BadMessage', 'BadMessage', 'BadMessage', 'UnknownTopic']);
    });

    it.each([
      ['{"subscribe":{"topic":"payments","after":-1}}'],
      ['{"subscribe":{"topic":"payments","after":1.5}}'],
      ['{"subscribe":{"topic":"payments","after":"1"}}'],
      ['{"subscribe":{"topic":"payments"},"ping":1}'],
      ['{"subscribe":null}'],
      ['{"ping":{}}'],
      ['{"token":""}'],
      ['{"token":{"token":"good"}}'],
      ['{"toString":1}'],
      ['null'],
    ])('%s is no message', async (text) => {
      const client = await stage().connect();
      client.socket.send(text);
      expect(await client.first(({ error }) => error)).toMatchObject({ code: 'BadMessage' });
    });

    it.each([
      'payment/',
      'account/a b',
      'payment/é',
      'payment/a#',
      'account',
      'payments/x',
      'system/a',
      `payment/${'x'.repeat(201)}`,
    ])('there is no topic %s', async (topic) => {
      const client = await stage().connect();
      client.subscribe(topic);
      expect(await client.first(({ error }) => error)).toMatchObject({ code: 'UnknownTopic' });
    });

    it('are text, not binary', async () => {
      const client = await stage().connect();
      client.socket.send(Buffer.from('{"ping":1}'));
      expect(await client.first(({ error }) => error)).toMatchObject({ code: 'BadMessage' });
    });

    it('may come in pieces', async () => {
      const client = await stage().connect();
      client.socket.send('{"ping":', { fin: false });
      client.socket.send('"whole"}', { fin: true });
      expect(await client.first(({ pong }) => pong)).toBe('whole');
    });

    it('ping is answered with the same', async () => {
      const client = await stage().connect();
      client.send({ ping: 'are you there?' });
      expect(await client.first(({ pong }) => pong)).toBe('are you there?');
    });

    it('a topic is watched once at a time', async () => {
      const client = await stage().connect();
      await client.snapshot('payment/a');
      client.subscribe('payment/a');
      await client.until(() => errorsOf(client).length === 1);
      client.send({ unsubscribe: { topic: 'payment/b' } });
      await client.until(() => errorsOf(client).length === 2);
      expect(errorsOf(client)).toEqual(['AlreadySubscribed', 'NotSubscribed']);
    });

    it('a position that the log has not reached is refused', async () => {
      const client = await stage().connect();
      client.subscribe('payments', 5);
      expect(await client.first(({ error }) => error)).toMatchObject({ code: 'InvalidPosition', topic: 'payments' });
      // It may be asked for again.
      await client.live('payments', 0);
    });

    it('subscribing and unsubscribing at once leaves nothing behind', async () => {
      const client = await stage().connect();
      for (let round = 0; round < 100; round++) {
        client.subscribe('account/a');
        client.send({ unsubscribe: { topic: 'account/a' } });
      }
      await client.until(() => client.received.filter(({ unsubscribed }) => unsubscribed !== undefined).length === 100);
      client.send({ ping: 1 });
      await client.first(({ pong }) => pong);
      expect(stage().door.feed.store.getSnapshot().context.topics.size).toBe(0);
      await client.snapshot('account/a');
    });
  });
}
