import type { Redis } from 'ioredis';
import type { PublicEvent } from '../events/catalog.ts';
import { signatureHeader } from '../signature.ts';
import type { Publisher } from './publisher.ts';

export interface RedisPublisherOptions {
  readonly url: string;
  /** The stream's key. Default `kora:events`. */
  readonly key?: string;
  /** The stream is cut to about so many entries. Default 1,000,000. */
  readonly lengthMax?: number;
  /** Signs each entry as deliveries are signed: who may write to the Redis cannot make up events. Default: none. */
  readonly secret?: string | undefined;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
}

const ALREADY_THERE = /equal or smaller than the target stream top item/;

/**
 * Adds events to a stream of Redis. An entry's id is the event's position in the log, and Redis takes ids in ascending order
 * only: what is published again is refused there, so each event is in the stream once. It needs `XADD`, `XRANGE`, `MULTI` and
 * `EXEC`, on that key, and nothing else.
 */
export async function redisPublisher(options: RedisPublisherOptions): Promise<Publisher> {
  const { url, key = 'kora:events', lengthMax = 1_000_000, secret, now, onError } = options;
  // Loaded where it is used: few have one.
  const { Redis: Client } = await import('ioredis');
  const redis: Redis = new Client(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    commandTimeout: 10_000,
  });
  redis.on('error', onError);
  return {
    name: 'redis',
    async publish(batch) {
      // All or nothing: were one left out and the next one taken, the first could never follow it.
      const transaction = redis.multi();
      for (const { position, envelope, body } of batch) {
        const signature = secret === undefined ? [] : ['signature', signatureHeader(body, [secret], now())];
        const fields = ['id', envelope.id, 'type', envelope.type, 'event', body, ...signature];
        transaction.xadd(key, 'MAXLEN', '~', lengthMax, `${position}-0`, ...fields);
      }
      const answers = (await transaction.exec()) ?? [];
      if (answers.length < batch.length) throw new Error('Redis did not answer for every event');
      for (const [index, [error]] of answers.entries()) {
        if (error === null) continue;
        if (!ALREADY_THERE.test(error.message)) throw error;
        await mustBeThere(redis, key, batch[index]);
      }
    },
    close: async () => {
      await redis.quit().catch(() => redis.disconnect());
    },
  };
}

/** A log that was restored to an earlier time gives its positions out again, to other events: those may not be dropped. */
async function mustBeThere(redis: Redis, key: string, event: PublicEvent | undefined): Promise<void> {
  if (event === undefined) return;
  const place = `${event.position}-0`;
  const [entry] = await redis.xrange(key, place, place);
  const fields = entry?.[1] ?? [];
  if (fields[fields.indexOf('id') + 1] === event.envelope.id) return;
  throw new Error(
    `${key} is ahead of the log: at ${place} it does not have ${event.envelope.id}. Move the stream away`,
  );
}
