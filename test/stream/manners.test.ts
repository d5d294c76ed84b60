import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import type { StreamDoor, StreamLimits } from '../../src/gateway/stream/index.ts';
import { StreamClient, type ConnectOptions } from './support/client.ts';
import { openDoor, openDoorToReopen } from './support/door.ts';
import { paymentOf, Traffic } from './support/traffic.ts';

/** Proves the bounds of the door: who may connect, what may be said, how much, and how everybody is sent away. */
let log: MemoryLog;
let door: StreamDoor;
let clients: StreamClient[];

beforeEach(() => {
  log = new MemoryLog();
  clients = [];
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await door.close();
});

async function open(limits: Partial<StreamLimits> = {}): Promise<void> {
  door = await openDoor(log, limits);
}
async function connect(options: ConnectOptions = {}): Promise<StreamClient> {
  const client = await StreamClient.connect(door.port, options);
  clients.push(client);
  return client;
}
/** The HTTP status with which the door refuses to upgrade. */
function refusal(options: ConnectOptions, path = '/stream'): Promise<number | undefined> {
  const client = new StreamClient(door.port, options, path);
  return new Promise((resolve) => client.socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode)));
}
const errors = (client: StreamClient): (string | undefined)[] =>
  client.received.flatMap(({ error }) => (error === undefined ? [] : [error.code]));

describe('connecting', () => {
  beforeEach(() => open());

  it('takes the token from the header, the query, or a subprotocol, and says hello', async () => {
    const byHeader = await connect();
    expect(byHeader.received[0]?.hello).toMatchObject({ protocol: 1, position: 0 });
    await connect({ token: '', query: '?token=good' });
    const byProtocol = await connect({ token: '', protocols: ['kora.v1', 'kora.token.good'] });
    expect(byProtocol.socket.protocol).toBe('kora.v1');
    expect((await connect({ protocols: ['kora.v1'] })).socket.protocol).toBe('kora.v1');
  });

  it('is refused without a token, and with a wrong one', async () => {
    expect(await refusal({ token: '' })).toBe(401);
    expect(await refusal({ token: 'bad' })).toBe(401);
    expect(await refusal({ token: '', query: '?token=bad' })).toBe(401);
    // The header is what counts, even if the rest is right.
    expect(await refusal({ token: 'bad', query: '?token=good' })).toBe(401);
  });

  it('is refused in a protocol that the door does not speak, and at another path', async () => {
    expect(await refusal({ protocols: ['kora.v9'] })).toBe(400);
    expect(await refusal({}, '/elsewhere')).toBe(404);
  });
});

describe('a port', () => {
  it('is for one door alone', async () => {
    door = await openDoorToReopen(log);
    const { port } = door;
    await expect(openDoor(log, {}, port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await door.close();
    // uWebSockets shares a port that was given by number, unless it is told not to.
    door = await openDoor(log, {}, port);
    await expect(openDoor(log, {}, port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('a bounded number', () => {
  it('of connections: the next one is refused until one of them goes', async () => {
    await open({ connectionsMax: 2 });
    await connect();
    const second = await connect();
    expect(await refusal({})).toBe(503);
    await second.close();
    while (door.feed.store.getSnapshot().context.sessions > 1) await new Promise((resolve) => setImmediate(resolve));
    await connect();
  });

  it('of subscriptions: the next one is refused until one of them ends', async () => {
    await open({ subscriptionsMax: 3 });
    const client = await connect();
    for (const id of ['a', 'b', 'c']) await client.snapshot(`payment/${id}`);
    client.subscribe('payment/d');
    expect(await client.first(({ error }) => error)).toMatchObject({
      code: 'TooManySubscriptions',
      topic: 'payment/d',
    });
    client.send({ unsubscribe: { topic: 'payment/a' } });
    await client.snapshot('payment/d');
  });

  it('of a thousand subscriptions on one connection is no trouble', async () => {
    await open();
    const traffic = await Traffic.begin(log);
    const client = await connect();
    for (let index = 0; index < 1_000; index++) client.subscribe(`payment/${paymentOf(index)}`);
    await client.until(() => client.received.filter(({ snapshot }) => snapshot !== undefined).length === 1_000);
    await traffic.pay(1_000);
    const finals = new Set<string>();
    await client.until(() => {
      for (const { unit } of client.received) {
        const status = unit?.events.at(-1)?.status;
        if (unit !== undefined && (status === 'SETTLED' || status === 'FAILED')) finals.add(unit.topic);
      }
      return finals.size === 1_000;
    });
  });
});

describe('messages', () => {
  beforeEach(() => open());

  it('that make no sense are answered, and after some the client is sent away', async () => {
    const client = await connect();
    const nonsense = ['hello', '[]', '{}', '{"subscribe":{}}', '{"subscribe":{"topic":"weather"}}'];
    for (const text of nonsense) client.socket.send(text);
    expect(await client.closed).toEqual({ code: 4400, reason: '{"after":0}' });
    expect(errors(client)).toEqual(['BadMessage', 'BadMessage', 'BadMessage', 'BadMessage', 'UnknownTopic']);
  });

  it.each([
    ['{"subscribe":{"topic":"payments","after":-1}}'],
    ['{"subscribe":{"topic":"payments","after":1.5}}'],
    ['{"subscribe":{"topic":"payments","after":"1"}}'],
    ['{"subscribe":{"topic":"payments"},"ping":1}'],
    ['{"subscribe":null}'],
    ['{"ping":{}}'],
    ['{"toString":1}'],
    ['null'],
  ])('%s is no message', async (text) => {
    const client = await connect();
    client.socket.send(text);
    expect(await client.first(({ error }) => error)).toMatchObject({ code: 'BadMessage' });
  });

  it.each(['payment/', 'account/a b', 'payment/é', 'account', 'payments/x', 'system/a', `payment/${'x'.repeat(201)}`])(
    'there is no topic %s',
    async (topic) => {
      const client = await connect();
      client.subscribe(topic);
      expect(await client.first(({ error }) => error)).toMatchObject({ code: 'UnknownTopic' });
    },
  );

  it('are text, not binary', async () => {
    const client = await connect();
    client.socket.send(Buffer.from('{"ping":1}'));
    expect(await client.first(({ error }) => error)).toMatchObject({ code: 'BadMessage' });
  });

  it('that are too big close the connection', async () => {
    const client = await connect();
    client.send({ ping: 'x'.repeat(4_096) });
    expect(await client.closed).toMatchObject({ code: 1009 });
  });

  it('that are far too big cut it off', async () => {
    const client = await connect();
    client.send({ ping: 'x'.repeat(1_000_000) });
    expect(await client.closed).toMatchObject({ code: 1006 });
  });

  it('ping is answered with the same', async () => {
    const client = await connect();
    client.send({ ping: 'are you there?' });
    expect(await client.first(({ pong }) => pong)).toBe('are you there?');
  });

  it('a topic is watched once at a time', async () => {
    const client = await connect();
    await client.snapshot('payment/a');
    client.subscribe('payment/a');
    await client.until(() => errors(client).length === 1);
    client.send({ unsubscribe: { topic: 'payment/b' } });
    await client.until(() => errors(client).length === 2);
    expect(errors(client)).toEqual(['AlreadySubscribed', 'NotSubscribed']);
  });

  it('a position that the log has not reached is refused', async () => {
    const client = await connect();
    client.subscribe('payments', 5);
    expect(await client.first(({ error }) => error)).toMatchObject({ code: 'InvalidPosition', topic: 'payments' });
    // It may be asked for again.
    await client.live('payments', 0);
  });

  it('subscribing and unsubscribing at once leaves nothing behind', async () => {
    const client = await connect();
    for (let round = 0; round < 100; round++) {
      client.subscribe('account/a');
      client.send({ unsubscribe: { topic: 'account/a' } });
    }
    await client.until(() => client.received.filter(({ unsubscribed }) => unsubscribed !== undefined).length === 100);
    client.send({ ping: 1 });
    await client.first(({ pong }) => pong);
    expect(door.feed.store.getSnapshot().context.topics.size).toBe(0);
    await client.snapshot('account/a');
  });
});

describe('a connection ends', () => {
  it('when its token does, and says where to resume', async () => {
    await open();
    await Traffic.begin(log);
    const client = await connect({ token: `until:${Date.now() + 500}` });
    const from = await client.live('payments');
    expect(await client.closed).toEqual({ code: 4401, reason: JSON.stringify({ after: from }) });
  });

  it('when the door closes, and says where to resume', async () => {
    await open();
    await Traffic.begin(log);
    const client = await connect();
    await client.live('payments', 0);
    await door.close();
    expect(await client.closed).toEqual({ code: 1001, reason: JSON.stringify({ after: log.store.last }) });
  });

  it('when the client does not even answer pings any more, and not while it does', async () => {
    await open({ idleTimeoutMs: 8_000 });
    const quiet = await connect();
    let pings = 0;
    quiet.socket.on('ping', () => (pings += 1));
    const dead = await connect({ autoPong: false });
    expect(await dead.closed).toMatchObject({ code: 1006 });
    await quiet.until(() => pings > 0).catch(() => undefined);
    quiet.send({ ping: 1 });
    expect(await quiet.first(({ pong }) => pong)).toBe(1);
    expect(pings).toBeGreaterThan(0);
  });
});
