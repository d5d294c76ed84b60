import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryLog, PostgresLog, type EventLog } from '../../eventstore/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { StreamClient } from './support/client.ts';
import { openDoor } from './support/door.ts';
import { expectedOf, seen } from './support/oracle.ts';
import { Traffic } from './support/traffic.ts';

/** Proves catch-up and live of everything while payments are made at full speed, on memory and on Postgres. */
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const logs: [string, () => EventLog][] = [
  ['memory', () => new MemoryLog()],
  ['Postgres', () => new PostgresLog({ config: database.poolConfig })],
];

describe.each(logs)('payments on %s', (_, openLog) => {
  it('are told in order, each once, to clients that come in the middle of it', async () => {
    const log = openLog();
    const traffic = await Traffic.begin(log);
    for (let round = 0; round < 5; round++) await traffic.pay(200);
    const door = await openDoor(log);
    const paying = (async () => {
      for (let round = 0; round < 15; round++) await traffic.pay(100);
    })();
    const clients: { client: StreamClient; topic: string; after: number }[] = [];
    for (const after of [0, 1_001, 2_500, 5_002]) {
      for (const topic of ['payments', 'account/w2', 'account/receivable:cash:XOF']) {
        const client = await StreamClient.connect(door.port);
        clients.push({ client, topic, after });
        client.subscribe(topic, after);
      }
    }
    await paying;
    for (const { client, topic, after } of clients) {
      const expected = await expectedOf(log, topic, after);
      await client.until(() => client.events(topic).length >= expected.length);
      expect(seen(client.events(topic))).toEqual(expected);
      await client.close();
    }
    await door.close();
    await log.close();
  });
});

describe('on Postgres', () => {
  it('what another process commits is told too, and a client may go from one process to the other', async () => {
    const here = new PostgresLog({ config: database.poolConfig });
    const there = new PostgresLog({ config: database.poolConfig });
    const door = await openDoor(here);
    const otherDoor = await openDoor(there);
    const from = await here.lastPosition();
    const client = await StreamClient.connect(door.port);
    await Traffic.begin(there);
    const traffic = new Traffic(there, 2_000_000);
    await client.live('payments', from);
    await traffic.pay(100);
    let expected = await expectedOf(there, 'payments', from);
    await client.until(() => client.events('payments').length >= expected.length);
    expect(seen(client.events('payments'))).toEqual(expected);
    await client.close();

    const after = client.units('payments').at(-1)?.position ?? 0;
    const again = await StreamClient.connect(otherDoor.port);
    await again.live('payments', after);
    await traffic.pay(20);
    expected = await expectedOf(here, 'payments', after);
    await again.until(() => again.events('payments').length >= expected.length);
    expect(seen(again.events('payments'))).toEqual(expected);
    await again.close();
    await Promise.all([door.close(), otherDoor.close()]);
    await Promise.all([here.close(), there.close()]);
  });

  it('a message is the same, byte for byte, whether it was caught up or fed', async () => {
    const log = new PostgresLog({ config: database.poolConfig });
    const door = await openDoor(log);
    const from = await log.lastPosition();
    const [fed, caughtUp] = [await StreamClient.connect(door.port), await StreamClient.connect(door.port)];
    const texts: [string[], string[]] = [[], []];
    fed.socket.on('message', (data: Buffer) => texts[0].push(data.toString()));
    caughtUp.socket.on('message', (data: Buffer) => texts[1].push(data.toString()));
    const topics = ['payments', 'account/w0', 'account/float:cash:XOF'];
    for (const topic of topics) await fed.live(topic, from);
    await new Traffic(log, 1_000_000).pay(30);
    const count = (texts: string[]): number => texts.filter((text) => text.startsWith('{"unit"')).length;
    for (const topic of topics) await caughtUp.live(topic, from);
    await fed.until(() => count(texts[0]) === count(texts[1]));
    const units = ([of]: [string[]]): string[] => of.filter((text) => text.startsWith('{"unit"')).sort();
    expect(units([texts[0]])).toEqual(units([texts[1]]));
    expect(count(texts[0])).toBeGreaterThan(30);
    await Promise.all([fed.close(), caughtUp.close()]);
    await door.close();
    await log.close();
  });
});
