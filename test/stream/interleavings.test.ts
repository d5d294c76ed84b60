import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import type { StreamDoor } from '../../src/gateway/stream/index.ts';
import { StreamClient } from './support/client.ts';
import { openDoor } from './support/door.ts';
import { HeldReadsLog } from './support/held-reads-log.ts';
import { expectedOf, seen } from './support/oracle.ts';
import { Traffic } from './support/traffic.ts';

/** Proves the seam one race at a time: commits, the read of a subscriber, and the follower in every order that matters. */
let log: MemoryLog;
/** The same log, as the door has it. */
let held: HeldReadsLog;
let traffic: Traffic;
let door: StreamDoor;
let client: StreamClient;

beforeEach(async () => {
  log = new MemoryLog();
  held = new HeldReadsLog({ store: log.store });
  traffic = await Traffic.begin(log);
  await traffic.pay(10);
  door = await openDoor(held, { readsMax: 100 });
  client = await StreamClient.connect(door.port);
});
afterEach(async () => {
  held.reads.open();
  held.following.open();
  await client.close();
  await door.close();
});

/** Resolves when everything that is committed has been fed. */
async function fed(): Promise<void> {
  while (door.feed.head < log.store.last) await new Promise((resolve) => setImmediate(resolve));
}
/** Everything after a snapshot's version came, and nothing else. */
async function whole(topic: string, by = client): Promise<void> {
  const { version } = await by.first(({ snapshot }) => (snapshot?.topic === topic ? snapshot : undefined));
  const expected = (await expectedOf(log, topic)).slice(version);
  await by.until(() => by.events(topic).length >= expected.length);
  by.send({ ping: topic });
  await by.first(({ pong }) => (pong === topic ? true : undefined));
  expect(seen(by.events(topic))).toEqual(expected);
}
/** Everything after a position came, and nothing else. */
async function wholeAfter(topic: string, after: number): Promise<void> {
  const expected = await expectedOf(log, topic, after);
  await client.until(() => client.events(topic).length >= expected.length);
  client.send({ ping: topic });
  await client.first(({ pong }) => (pong === topic ? true : undefined));
  expect(seen(client.events(topic))).toEqual(expected);
}

describe.each(['account/w0', 'account/float:cash:XOF', 'account/new'])('a snapshot of %s', (topic) => {
  const pay = async (): Promise<void> => {
    if (topic === 'account/new') await Traffic.open(log, 'new');
    else await traffic.pay(10);
  };

  it('read, committed and fed, joined: what was committed comes after the snapshot', async () => {
    held.reads.hold();
    client.subscribe(topic);
    await held.reads.someone();
    await pay();
    await fed();
    held.reads.open();
    await whole(topic);
    expect(client.events(topic).length).toBeGreaterThan(0);
  });

  it('committed, read, joined, fed: what was committed is in the snapshot, and does not come again', async () => {
    held.following.hold();
    await pay();
    await held.following.someone();
    await client.snapshot(topic);
    held.following.open();
    await fed();
    await whole(topic);
    expect(client.events(topic)).toEqual([]);
  });

  it('registered, committed and fed, read: what was committed is in the snapshot, and does not come again', async () => {
    held.reads.hold();
    client.subscribe('account/w3');
    client.subscribe(topic);
    await held.reads.someone();
    await pay();
    await fed();
    // The first read saw nothing of it; another one, by a client that registers now, does.
    held.reads.open();
    const other = await StreamClient.connect(door.port);
    await other.snapshot(topic);
    await whole(topic, other);
    expect(other.events(topic)).toEqual([]);
    await whole(topic);
    await other.close();
  });

  it('two that join one after the other, with commits before, between and after', async () => {
    const other = await StreamClient.connect(door.port);
    held.reads.hold();
    client.subscribe(topic);
    await held.reads.someone();
    await pay();
    await fed();
    other.subscribe(topic);
    await traffic.pay(10);
    await fed();
    held.reads.open();
    await traffic.pay(10);
    await whole(topic);
    await whole(topic, other);
    // The topic is kept warm by those who watch it; a third one begins anew.
    await traffic.pay(10);
    const third = await StreamClient.connect(door.port);
    held.reads.hold();
    third.subscribe(topic);
    await held.reads.someone();
    await traffic.pay(10);
    await fed();
    held.reads.open();
    await whole(topic, third);
    await whole(topic);
    await Promise.all([other.close(), third.close()]);
  });
});

describe.each(['payments', 'account/w0', 'account/float:cash:XOF'])('resuming %s', (topic) => {
  it('read, committed and fed, joined: what was committed comes', async () => {
    const after = log.store.last - 20;
    held.reads.hold();
    client.subscribe(topic, after);
    await held.reads.someone();
    await traffic.pay(10);
    await fed();
    held.reads.open();
    await wholeAfter(topic, after);
  });

  it('committed, read, joined, fed: what was committed comes once', async () => {
    const after = log.store.last - 20;
    held.following.hold();
    await traffic.pay(10);
    await held.following.someone();
    await client.live(topic, after);
    held.following.open();
    await fed();
    await wholeAfter(topic, after);
  });

  it('from a position that this process has not followed to yet, in the middle of a unit', async () => {
    held.following.hold();
    await traffic.pay(10);
    await held.following.someone();
    const all = await expectedOf(log, topic);
    const after = all.at(-3)?.position ?? 0;
    await client.live(topic, after);
    held.following.open();
    await fed();
    await traffic.pay(10);
    await wholeAfter(topic, after);
  });
});

describe('more passes by during the read than is kept: the log is read again', () => {
  it.each(['payments', 'account/w0'])('resuming %s', async (topic) => {
    const after = log.store.last - 20;
    held.reads.hold();
    client.subscribe(topic, after);
    await held.reads.someone();
    for (let round = 0; round < 14; round++) await traffic.pay(400);
    await fed();
    held.reads.open();
    await wholeAfter(topic, after);
  });

  it('for a snapshot', async () => {
    held.reads.hold();
    client.subscribe('account/w0');
    await held.reads.someone();
    for (let round = 0; round < 14; round++) await traffic.pay(400);
    await fed();
    held.reads.open();
    await whole('account/w0');
  });
});
