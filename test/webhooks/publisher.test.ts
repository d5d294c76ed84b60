import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PublicEvent } from '../../src/webhooks/events/catalog.ts';
import { publicEvents } from '../../src/webhooks/events/public-events.ts';
import { type Publisher, redisPublisher } from '../../src/webhooks/index.ts';
import { signatureHeader } from '../../src/webhooks/signature.ts';
import { hasRedis, startRedis } from '../http/support/redis.ts';
import { WebhookStage } from './support/stage.ts';

/** Proves that a publisher gets every event from its first start on, in the order of the log, in batches, whoever dies. */
let stage: WebhookStage;
beforeEach(async () => {
  stage = await WebhookStage.open();
});
afterEach(() => stage.close());

async function recorded(): Promise<PublicEvent[]> {
  await stage.scribe.written();
  const events: PublicEvent[] = [];
  for await (const unit of stage.log.readAll(0)) events.push(...publicEvents(unit));
  return events;
}

const idsOf = (events: readonly PublicEvent[]): string[] => events.map(({ envelope }) => envelope.id);

/** Keeps what it got. It may fail after it took a batch, as one whose answer is lost. */
class Shelf implements Publisher {
  readonly name = 'shelf';
  readonly batches: (readonly PublicEvent[])[] = [];
  failures = 0;
  publish(batch: readonly PublicEvent[]): Promise<void> {
    this.batches.push(batch);
    if (this.failures === 0) return Promise.resolve();
    this.failures -= 1;
    return Promise.reject(new Error('the answer was lost'));
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  get ids(): string[] {
    return idsOf(this.batches.flat());
  }
}

const reaches = (shelf: Shelf, last: string | undefined): Promise<void> =>
  stage.until(() => shelf.ids.at(-1) === last, 'the last event');

describe('a publisher', () => {
  it('begins with what is recorded from its first start on, goes on where it was, and is given batches in order', async () => {
    stage.scribe.open('before');
    await stage.scribe.written();
    const shelf = new Shelf();
    const run = stage.run({ publishers: [shelf] });
    await stage.until(async () => {
      const { rowCount } = await stage.pool.query(`select from webhooks.checkpoints where name = 'publisher:shelf'`);
      return rowCount === 1;
    });
    for (let count = 0; count < 40; count += 1) stage.scribe.open(`a${count}`);
    await reaches(shelf, idsOf(await recorded()).at(-1));
    await run.stop();
    for (let count = 0; count < 40; count += 1) stage.scribe.open(`b${count}`);
    await stage.scribe.written();
    stage.run({ publishers: [shelf] });
    const all = idsOf(await recorded()).slice(1);
    await reaches(shelf, all.at(-1));
    expect(shelf.ids).toEqual(all);
    expect(shelf.batches.length).toBeLessThan(all.length);
  });

  it('that fails is given the batch again, and nothing of it is left out', async () => {
    const shelf = new Shelf();
    shelf.failures = 3;
    stage.run({ publishers: [shelf] });
    await stage.until(async () => {
      const { rowCount } = await stage.pool.query(`select from webhooks.checkpoints where name = 'publisher:shelf'`);
      return rowCount === 1;
    });
    for (let count = 0; count < 10; count += 1) stage.scribe.open(`a${count}`);
    const all = idsOf(await recorded());
    await reaches(shelf, all.at(-1));
    await stage.until(() => shelf.failures === 0 && shelf.ids.length >= all.length + 3);
    expect([...new Set(shelf.ids)]).toEqual(all);
    expect(stage.troubles.filter((trouble) => trouble.includes('the answer was lost'))).toHaveLength(3);
  });
});

describe.runIf(hasRedis)('the stream in Redis', () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let reader: Redis;
  beforeAll(async () => {
    server = await startRedis();
    reader = new Redis(server.url);
  });
  afterAll(async () => {
    await reader.quit();
    await server.stop();
  });

  const secret = 'a secret of publishers';
  const open = (key: string): Promise<Publisher> =>
    redisPublisher({ url: server.url, key, secret, now: stage.clock.now, onError: () => undefined });
  /** Fields of each entry. */
  const entries = async (key: string): Promise<Record<string, string>[]> =>
    (await reader.xrange(key, '-', '+')).map(([id, fields]) => {
      const pairs = fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1] ?? '']] : []));
      return { entry: id, ...(Object.fromEntries(pairs) as Record<string, string>) };
    });

  it('has each event once, signed, also when it is published twice', async () => {
    const publisher = await open('once');
    for (let count = 0; count < 5; count += 1) stage.scribe.open(`a${count}`);
    const events = await recorded();
    await publisher.publish(events.slice(0, 3));
    await publisher.publish(events);
    const found = await entries('once');
    expect(found.map(({ id }) => id)).toEqual(idsOf(events));
    expect(found.map(({ entry }) => entry)).toEqual(events.map(({ position }) => `${position}-0`));
    for (const { event = '', signature } of found) {
      expect(signature).toBe(signatureHeader(event, [secret], stage.clock.now()));
    }
    await publisher.close();
  });

  it('refuses to lose what a log that was restored says at a position that it has already', async () => {
    const publisher = await open('restored');
    stage.scribe.open('ada');
    const [event] = await recorded();
    if (event === undefined) throw new Error('nothing was recorded');
    await publisher.publish([event]);
    const other = { ...event, envelope: { ...event.envelope, id: 'evt_other' } };
    await expect(publisher.publish([other])).rejects.toThrow('restored is ahead of the log');
    await publisher.close();
  });

  it('goes on after Redis was away', async () => {
    const away = await startRedis();
    const port = new URL(away.url).port;
    await away.stop();
    const publisher = await redisPublisher({ url: away.url, now: stage.clock.now, onError: () => undefined });
    stage.run({ publishers: [publisher] });
    await stage.until(async () => {
      const { rowCount } = await stage.pool.query(`select from webhooks.checkpoints where name = 'publisher:redis'`);
      return rowCount === 1;
    });
    stage.scribe.open('ada');
    await stage.until(() => stage.troubles.some((trouble) => trouble.includes('publisher redis waits')));
    const back = await startRedis(Number(port));
    const client = new Redis(back.url);
    await stage.until(async () => (await client.xlen('kora:events')) === 1, 'the event');
    await stage.stopAll();
    await publisher.close();
    await client.quit();
    await back.stop();
  });
});
