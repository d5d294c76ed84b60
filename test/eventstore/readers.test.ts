import { describe, expect, test } from 'vitest';
import { append } from '../../eventstore/index.ts';
import { collect, exact, followed, unitOf } from '../../eventstore/testing/samples.ts';
import { cuttingProxy } from './support/cutting-proxy.ts';
import { logDatabase } from './support/log-database.ts';
import { until } from './support/until.ts';

/** Proves that a reader whose connections break is told so, misses nothing, and breaks nobody else. */
describe('a reader whose connections break', () => {
  test('whose sessions are ended between two pages reads on, or is told so and asks again; it misses nothing', async () => {
    const database = await logDatabase();
    const log = database.open({ pageRows: 2 });
    for (let version = 0; version < 20; version++) await append(log, unitOf([exact('a/1', version)]));
    const seen: number[] = [];
    while (seen.length < 20) {
      try {
        for await (const { position } of log.readAll(seen.length)) {
          seen.push(position);
          if (seen.length % 5 === 0) {
            await database.admin.query(
              "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'kora-reader' and datname = current_database()",
            );
          }
        }
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  test('a follower goes on when its connection has gone silent', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    proxy.statement = 'eventstore.last-position';
    proxy.fates.push('pass', 'swallow-answer');
    const log = database.open({ config: { ...proxy.config, query_timeout: 100 } });
    const following = followed(log, 0, 1);
    await until(() => proxy.calls >= 2);
    await append(database.open(), unitOf([exact('a/1', 0, 3)]));
    expect((await following).map(({ position }) => position)).toEqual([1]);
  });

  test('a follower is told that the store is away, and follows again from where it was', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    proxy.statement = 'eventstore.read-all';
    await append(database.open(), unitOf([exact('a/1', 0)]));
    proxy.fates.push('cut-request');
    const log = database.open({ config: proxy.config });
    await expect(followed(log, 0, 1)).rejects.toThrow();
    expect((await followed(log, 0, 1)).map(({ position }) => position)).toEqual([1]);
  });

  test('what a reader has not awaited yet fails quietly when it reads no further', async () => {
    const database = await logDatabase();
    const proxy = await cuttingProxy(database.config);
    proxy.statement = 'eventstore.read-all';
    for (let version = 0; version < 4; version++) await append(database.open(), unitOf([exact('a/1', version)]));
    const log = database.open({ config: proxy.config, pageRows: 2 });
    // The second page is on its way while the first is worked on; nobody is there any more when it breaks.
    const struck = Promise.withResolvers<undefined>();
    proxy.fates.push('pass', 'cut-request');
    proxy.onStrike = () => {
      struck.resolve(undefined);
      return Promise.resolve();
    };
    for await (const { position } of log.readAll(0)) {
      await struck.promise;
      if (position === 1) break;
    }
    // And one that does read on is told.
    proxy.fates.push('pass', 'cut-request');
    await expect(collect(log.readAll(0))).rejects.toThrow();
    expect((await collect(log.readAll(0))).length).toBe(4);
  });
});
