import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { lineTo } from './support/line.ts';
import { openTroubledProduct, patience } from './support/product.ts';

/**
 * Proves what callers, balancers and people see of a database that is away, silent, held up or read-only: nothing is
 * answered as done that is not, readiness is off with the reason, and all goes on without a hand when the cause is gone.
 */
interface Trouble {
  readonly name: string;
  readonly reason: string;
  readonly silent?: true;
  /** Brings it about, and gives how to end it. */
  begin(database: TestDatabase, line: Awaited<ReturnType<typeof lineTo>>): Promise<() => Promise<void>>;
}

const troubles: readonly Trouble[] = [
  {
    name: 'every connection is cut, and none is taken',
    reason: 'the database cannot be reached',
    begin: (_, line) => {
      line.cut();
      return Promise.resolve(() => {
        line.mend();
        return Promise.resolve();
      });
    },
  },
  {
    name: 'the network swallows every byte and closes nothing',
    reason: 'the database cannot be reached',
    silent: true,
    begin: (_, line) => {
      line.silence();
      return Promise.resolve(() => {
        line.mend();
        return Promise.resolve();
      });
    },
  },
  {
    name: 'a foreign session holds a lock on the log (lock_timeout)',
    reason: 'somebody holds up the database',
    begin: async (database) => {
      const client = new pg.Client(database.poolConfig);
      await client.connect();
      await client.query('begin; lock table eventstore.heads in access exclusive mode');
      return () => client.end();
    },
  },
  {
    name: 'every append takes too long (statement_timeout)',
    reason: 'somebody holds up the database',
    begin: async (database) => {
      const client = new pg.Client(database.poolConfig);
      await client.connect();
      await client.query(
        `create function eventstore.dawdle() returns trigger language plpgsql as 'begin perform pg_sleep(60); return new; end';
        create trigger dawdle before insert on eventstore.commits for each row execute function eventstore.dawdle()`,
      );
      return async () => {
        await client.query('drop trigger dawdle on eventstore.commits; drop function eventstore.dawdle()');
        await client.end();
      };
    },
  },
  {
    name: 'the database takes no writes',
    reason: 'the database takes no writes',
    begin: async (database) => {
      const client = new pg.Client(database.poolConfig);
      await client.connect();
      const name = database.poolConfig.database ?? '';
      await client.query(`alter database ${name} set default_transaction_read_only = on`);
      // Who is connected keeps what it came with.
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      );
      return async () => {
        await client.query('set default_transaction_read_only = off');
        await client.query(`alter database ${name} reset default_transaction_read_only`);
        await client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
        );
        await client.end();
      };
    },
  },
];

describe('a store that does not do what it is asked', { timeout: 180_000 }, () => {
  test.for(troubles)('$name', async ({ reason, silent = false, ...trouble }) => {
    const database = await createTestDatabase();
    const line = await lineTo(database.poolConfig);
    const product = await openTroubledProduct({ DATABASE_URL: line.databaseUrl });
    expect((await product.pay('before')).status).toBeLessThan(300);
    expect(await product.ready()).toMatchObject({ status: 200 });
    expect(await product.health()).toBe('SERVING');

    const end = await trouble.begin(database, line);
    // A test that fails is not to wait for the end of its trouble.
    onTestFinished(() => line.mend());
    const underWay = Promise.all(['a', 'b', 'c'].map((key) => product.pay(key)));
    underWay.catch(() => undefined);
    await expect.poll(() => product.ready(), patience).toMatchObject({ status: 503, body: { ready: false, reason } });
    expect(await product.health()).toBe('NOT_SERVING');
    await expect.poll(() => product.kora.troubles.refusal, patience).toContain(reason);
    expect(await product.pay('refused')).toMatchObject({ status: 503, body: { code: 'Overloaded' } });
    expect((await product.pay('refused')).body['detail']).toContain(reason);
    const byRpc = await product.payByRpc('refused, and not tried again');
    expect(byRpc).toMatchObject({ status: 429, body: { code: 'resource_exhausted' } });
    expect(byRpc.body['message']).toContain(reason);

    await end();
    await expect.poll(() => product.ready(), patience).toMatchObject({ status: 200, body: { ready: true } });
    await expect.poll(() => product.health(), patience).toBe('SERVING');
    // Done, or not known, and never a no that is written down.
    for (const { status } of await underWay) expect([200, 201, 503, 504]).toContain(status);
    await product.expectOnce(['before', 'a', 'b', 'c', 'refused']);

    const told = product.told().filter((line) => /trouble/.test(line));
    // Connections that were silenced are found out one by one, perhaps after the first have mended: trouble again.
    if (!silent) expect(told.filter((line) => line.includes(reason))).toHaveLength(1);
    expect(told.length).toBeLessThan(10);
    expect(told[0]).toMatch(/^trouble: /);
    expect(told.at(-1)).toMatch(/^the trouble is over/);
  });
});
