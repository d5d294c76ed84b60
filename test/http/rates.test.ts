import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeOf } from '../../src/gateway/address.ts';
import type { HttpDoor, HttpDoorOptions } from '../../src/gateway/http/http-door.ts';
import { callAt, type HttpProduct, openProduct, type Someone } from './support/product.ts';
import { PostgresRateStore } from '../../src/gateway/http/rate/postgres-rate-store.ts';
import { hasRedis, startRedis } from './support/redis.ts';

/**
 * Proves that nobody calls too often: people by their id and by their address, services by their name, in all processes
 * together, whatever counts them.
 */
interface Store {
  readonly name: string;
  readonly start: () => Promise<{ readonly redisUrl?: string; readonly stop: () => Promise<void> }>;
}
const stores: readonly Store[] = [
  { name: 'Postgres', start: () => Promise.resolve({ stop: () => Promise.resolve() }) },
  {
    name: 'Redis',
    start: async () => {
      const { url, stop } = await startRedis();
      return { redisUrl: url, stop };
    },
  },
];
if (!hasRedis) process.stderr.write('rates: redis-server is not here, its tests are skipped (ops/dev/debian.sh)\n');

describe.each(stores)('rates, counted in $name', ({ name, start }) => {
  describe.skipIf(name === 'Redis' && !hasRedis)('are limited', () => {
    let counter: Awaited<ReturnType<Store['start']>>;
    let product: HttpProduct;
    beforeAll(async () => {
      counter = await start();
      product = await openProduct({ trustedProxies: ['127.0.0.1'], ...counter });
    });
    afterAll(async () => {
      await product.close();
      await counter.stop();
    });

    /** Two processes with these limits, and how the n-th request through them in turn is answered. */
    const doors = async (rates: NonNullable<HttpDoorOptions['rates']>) => {
      const secret = randomBytes(32);
      const opened: HttpDoor[] = [await product.open({ rates, secret }), await product.open({ rates, secret })];
      let turn = 0;
      return (who: Someone | undefined, path: string, address: string) =>
        callAt(`http://127.0.0.1:${opened[(turn += 1) % 2]?.port ?? 0}`, who, 'GET', path, {
          headers: { 'x-forwarded-for': address },
        });
    };
    const statuses = async (ask: () => Promise<{ status: number }>, times: number): Promise<number[]> => {
      const seen: number[] = [];
      for (let time = 0; time < times; time += 1) seen.push((await ask()).status);
      return seen;
    };

    it('of one user, from wherever', async () => {
      const ask = await doors({ perUser: 5 });
      const [ada, ben] = await Promise.all([product.user('customer'), product.user('customer')]);
      let address = 0;
      const asAda = () => ask(ada, '/v1/accounts', `10.0.0.${(address += 1)}`);
      expect(await statuses(asAda, 7)).toEqual([200, 200, 200, 200, 200, 429, 429]);
      const refused = await asAda();
      expect(refused.body.code).toBe('TooManyRequests');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
      expect((await ask(ben, '/v1/accounts', '10.0.0.1')).status).toBe(200);
    });

    it('from one address, whoever it is and whatever they ask for', async () => {
      const ask = await doors({ perAddress: 4 });
      const ada = await product.user('customer');
      const guesser: Someone = { principal: '', headers: { authorization: 'Bearer guessed' } };
      expect((await ask(guesser, '/v1/accounts', '10.1.0.1')).status).toBe(401);
      expect((await ask(undefined, '/v1/accounts', '10.1.0.1')).status).toBe(401);
      expect((await ask(undefined, '/openapi.json', '10.1.0.1')).status).toBe(200);
      expect((await ask(ada, '/v1/accounts', '10.1.0.1')).status).toBe(200);
      expect((await ask(guesser, '/v1/accounts', '10.1.0.1')).status).toBe(429);
      expect((await ask(ada, '/v1/accounts', '10.1.0.1')).status).toBe(429);
      expect((await ask(ada, '/v1/accounts', '10.1.0.2')).status).toBe(200);
      // Health is asked by machines, all the time, from one place.
      expect(new Set(await statuses(() => ask(undefined, '/health/live', '10.1.0.1'), 10))).toEqual(new Set([200]));
    });

    it('of one network, where addresses are of IPv6', async () => {
      const ask = await doors({ perAddress: 2 });
      const from = (address: string) => ask(undefined, '/openapi.json', address);
      expect((await from('2001:db8:0:1::1')).status).toBe(200);
      expect((await from('2001:db8:0:1:ffff::2')).status).toBe(200);
      expect((await from('2001:0db8:0:1::3')).status).toBe(429);
      expect((await from('2001:db8:0:2::1')).status).toBe(200);
    });

    it('of one service by its name alone', async () => {
      const ask = await doors({ perAddress: 1, perService: 3 });
      const shop = await product.service(undefined, `shop-${name}`);
      const mall = await product.service(undefined, `mall-${name}`);
      expect(await statuses(() => ask(shop, '/v1/accounts', '10.2.0.1'), 4)).toEqual([200, 200, 200, 429]);
      expect((await ask(mall, '/v1/accounts', '10.2.0.1')).status).toBe(200);
    });

    it('exactly, when all come at once', async () => {
      const ask = await doors({ perAddress: 10 });
      const answers = await Promise.all(Array.from({ length: 40 }, () => ask(undefined, '/openapi.json', '10.3.0.1')));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    });

    it('under names that say nothing of the address', async () => {
      const ask = await doors({});
      await ask(undefined, '/openapi.json', '203.0.113.77');
      const keys =
        counter.redisUrl === undefined
          ? (await product.admin.query<{ key: string }>('select key from gateway.rate_counters')).rows.map(
              ({ key }) => key,
            )
          : await keysOf(counter.redisUrl);
      expect(keys.some((key) => key.includes('address:'))).toBe(true);
      expect(keys.filter((key) => key.includes('203.0.113'))).toEqual([]);
      expect(product.lines.filter((line) => line.includes('203.0.113'))).toEqual([]);
    });
  });
});

describe('rates', () => {
  let product: HttpProduct;
  beforeAll(async () => {
    product = await openProduct();
  });
  afterAll(() => product.close());

  it('do not believe who says where they come from, unless it is a proxy of ours', async () => {
    const door = await product.open({ rates: { perAddress: 2 } });
    const seen = [];
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
      const headers = { 'x-forwarded-for': address };
      seen.push((await callAt(`http://127.0.0.1:${door.port}`, undefined, 'GET', '/openapi.json', { headers })).status);
    }
    expect(seen).toEqual([200, 200, 429]);
  });

  it('begin anew when the window is over', async () => {
    const door = await product.open({ rates: { perAddress: 1 } });
    const ask = async () =>
      (await callAt(`http://127.0.0.1:${door.port}`, undefined, 'GET', '/openapi.json', {})).status;
    expect([await ask(), await ask()]).toEqual([200, 429]);
    await product.admin.query('update gateway.rate_counters set ends_at = now()');
    expect([await ask(), await ask()]).toEqual([200, 429]);
  });

  it('count at once in this process, and soon in the store, whoever is far from a large limit; then every call', async () => {
    const store = new PostgresRateStore(product.admin);
    const inStore = async () =>
      Number(
        (await product.admin.query<{ hits: string }>(`select hits from gateway.rate_counters where key = 'busy'`))
          .rows[0]?.hits,
      );
    const counts: number[] = [];
    for (let time = 0; time < 700; time += 1) counts.push((await store.hit('busy', 60_000, 1_200)).current);
    expect(counts).toEqual(Array.from({ length: 700 }, (_, index) => index + 1));
    // From halfway on every call has asked the store, and has told it of those before.
    expect(await inStore()).toBe(700);
    for (let time = 0; time < 5; time += 1) await store.hit('calm', 60_000, 1_200);
    // Another process has called meanwhile: it is known when the store has been told.
    await new PostgresRateStore(product.admin).hit('calm', 60_000, 1_200);
    await store.close();
    expect((await new PostgresRateStore(product.admin).hit('calm', 60_000, 0)).current).toBe(7);
  });

  it('refuse nobody when nobody can be counted', async () => {
    const away = await product.open({ rates: { perAddress: 1 }, redisUrl: 'redis://127.0.0.1:1' });
    await sleep(50);
    const statuses = [];
    for (let time = 0; time < 3; time += 1) {
      statuses.push((await callAt(`http://127.0.0.1:${away.port}`, undefined, 'GET', '/openapi.json', {})).status);
    }
    await product.admin.query('alter table gateway.rate_counters rename to gone');
    try {
      const door = await product.open({ rates: { perAddress: 1 } });
      for (let time = 0; time < 3; time += 1) {
        statuses.push((await callAt(`http://127.0.0.1:${door.port}`, undefined, 'GET', '/openapi.json', {})).status);
      }
    } finally {
      await product.admin.query('alter table gateway.gone rename to rate_counters');
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(product.lines.some((line) => line.includes('nobody is refused'))).toBe(true);
  });

  it('count an address under one name, however it is written', () => {
    expect(placeOf('::ffff:10.0.0.1')).toBe(placeOf('10.0.0.1'));
  });
});

async function keysOf(url: string): Promise<string[]> {
  const redis = new Redis(url);
  const keys = await redis.keys('*');
  redis.disconnect();
  return keys;
}
