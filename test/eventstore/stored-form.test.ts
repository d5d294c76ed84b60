import { fc, test } from '@fast-check/vitest';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { StreamId } from '../../eventstore/index.ts';
import { append } from '../../eventstore/index.ts';
import { int4Array, int8Array, textArray } from '../../eventstore/postgres/binary-array.ts';
import { anywhere, collect, event, exact, unitOf } from '../../eventstore/testing/samples.ts';
import type { LogDatabase } from './support/log-database.ts';
import { logDatabase } from './support/log-database.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from './support/until.ts';
import { Client } from 'pg';

/** Proves how the log lies in Postgres: its arrays, its times, its partitions, and that what is broken is never read past. */
describe('parameters', () => {
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = new Client(database.poolConfig);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const texts = fc.array(
    fc.option(
      fc.oneof(
        fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\u0000', '').toWellFormed()),
        fc.constant('"{,}\\ NULL'),
      ),
    ),
  );
  const int4 = fc.array(fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })));
  const int8 = fc.array(fc.option(fc.maxSafeInteger()));

  test.prop([texts, int4, int8], { numRuns: 100 })(
    'arrays arrive as they are',
    async (someTexts, someInt4, someInt8) => {
      const { rows } = await client.query<{ t: unknown; i: unknown; b: string[] }>({
        name: 'arrays',
        text: 'select $1::text[] as t, $2::int4[] as i, $3::int8[]::text[] as b',
        values: [textArray(someTexts), int4Array(someInt4), int8Array(someInt8)],
      });
      expect(rows[0]).toEqual({
        t: someTexts,
        i: someInt4,
        b: someInt8.map((value) => value && `${value}`).map((value) => (value === 0 ? '0' : value)),
      });
    },
  );
});

describe('the log in its tables', () => {
  test('the bytes that were digested are the bytes that are stored, whatever they are', async () => {
    const database = await logDatabase();
    const log = database.open();
    const other = database.open();
    await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const text = 'é漢😀"\\\u2028\u0001'.repeat(index % 7);
        const stream: StreamId = `ä/${index}😀`;
        return append(
          index % 3 === 0 ? other : log,
          unitOf(
            [anywhere('system/s'), { stream, expect: 0, events: [event({ text, '': [index / 3] })] }],
            `únit ${index}`,
          ),
        );
      }),
    );
    expect(await database.findings()).toEqual([]);
    expect(await database.commits()).toBeGreaterThan(1);
  });

  test('recorded time stands still while the clock of the server is behind the log', async () => {
    const database = await logDatabase();
    const log = database.open();
    await append(log, unitOf([exact('a/1', 0)]));
    await database.admin.query("update eventstore.commits set recorded_at = '2999-01-01T00:00:00.123Z'");
    const results = [await append(log, unitOf([exact('a/1', 1)])), await append(log, unitOf([exact('a/1', 2)]))];
    expect(results).toMatchObject([
      { recordedAt: new Date('2999-01-01T00:00:00.123Z') },
      { recordedAt: new Date('2999-01-01T00:00:00.123Z') },
    ]);
  });

  test('pages end anywhere in a unit, and it is whole all the same', async () => {
    const database = await logDatabase();
    const log = database.open();
    for (let round = 0; round < 7; round++) {
      await append(
        log,
        unitOf(Array.from({ length: 1 + round }, (_, index) => exact(`a/${round}-${index}`, 0, 1 + (index % 3)))),
      );
      await append(log, unitOf([exact('b/1', round)]));
    }
    const all = await database.units();
    for (const pageRows of [1, 2, 3, 5, 8, 13]) {
      const paged = database.open({ pageRows });
      expect(await collect(paged.readAll(0))).toEqual(all);
      expect((await collect(paged.readStream('b/1'))).map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    }
  });
});

describe('a new partition', () => {
  const size = 100_000_000;

  test('is made long before it is needed, while others write and read, and the log goes on over the border', async () => {
    const database = await logDatabase();
    await beginNear(database, size - 40);
    const writers = [database.open(), database.open()];
    const reader = await database.connect();
    // A reader and a writer in the middle of a transaction, as backups and slow appends are.
    await reader.query('begin; select count(*) from eventstore.log');
    const writer = await database.connect();
    await writer.query('begin; lock table eventstore.log in row exclusive mode');
    const seen: number[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const { position, lastPosition } of database.open({ pollMs: 2 }).subscribe(size - 40, stop.signal)) {
        expect(position).toBe((seen.at(-1) ?? size - 40) + 1);
        seen.push(lastPosition);
        if (lastPosition >= size + 200) stop.abort();
      }
    })();

    expect(await append(writers[0] as never, unitOf([exact('a/1', 0)]))).toMatchObject({ position: size - 39 });
    await until(async () => (await partitions(database)).includes('log_p1'));
    await reader.query('commit');
    await writer.query('commit');
    const results = await Promise.all(
      Array.from({ length: 80 }, (_, index) =>
        append(writers[index % 2] as never, unitOf([exact(`b/${index}`, 0, 2), anywhere('system/s')])),
      ),
    );
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['committed']));
    await following;

    const { rows } = await database.admin.query(
      'select tableoid::regclass::text as name, max(position)::integer from eventstore.log group by 1 order by 1',
    );
    expect(rows).toMatchObject([{ name: 'eventstore.log_p0' }, { name: 'eventstore.log_p1' }]);
    expect((await collect(database.open().readStream('system/s'))).length).toBe(80);
    // Its indexes are those of the first partition.
    const { rows: indexes } = await database.admin.query<{ definition: string }>(
      "select replace(indexdef, 'log_p1', 'log_p0') as definition from pg_indexes where tablename like 'log_p_' order by 1",
    );
    expect(indexes.length).toBe(4);
    for (let index = 0; index < 4; index += 2)
      expect(indexes[index]?.definition.replace(/INDEX \S+/, '')).toBe(
        indexes[index + 1]?.definition.replace(/INDEX \S+/, ''),
      );
  });

  test('is made by the append that needs it, where it was not made in time', async () => {
    const database = await logDatabase();
    await beginNear(database, size - 2);
    expect(await append(database.open(), unitOf([exact('a/1', 0, 2), exact('b/1', 0)]))).toMatchObject({
      outcome: 'committed',
    });
    expect(await partitions(database)).toContain('log_p1');
  });

  test('is made once, however many ask for it', async () => {
    const database = await logDatabase();
    const clients = await Promise.all(Array.from({ length: 6 }, () => database.connect()));
    await Promise.all(
      clients.map((client, index) => client.query('select eventstore.ensure_partition($1)', [size * 3 + 1 + index])),
    );
    expect(await partitions(database)).toEqual(['log_p0', 'log_p3']);
    await database.admin.query('select eventstore.ensure_partition($1), eventstore.ensure_partition($2)', [
      size * 2,
      size * 2 + 1,
    ]);
    expect(await partitions(database)).toEqual(['log_p0', 'log_p1', 'log_p2', 'log_p3']);
  });

  test('is looked after in small bites, whoever made it', async () => {
    const database = await logDatabase();
    await database.admin.query('select eventstore.ensure_partition($1)', [size + 1]);
    const { rows } = await database.admin.query<{ name: string; settings: string[] | null }>(
      `select c.relname as name, c.reloptions as settings from pg_class c
       where c.oid in (select inhrelid from pg_inherits where inhparent = 'eventstore.log'::regclass)
         or c.oid = 'eventstore.heads'::regclass order by 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual(['heads', 'log_p0', 'log_p1']);
    for (const { settings } of rows) {
      expect(settings).toEqual(
        expect.arrayContaining([
          'autovacuum_vacuum_insert_scale_factor=0',
          'autovacuum_vacuum_insert_threshold=100000',
          'autovacuum_freeze_min_age=0',
        ]),
      );
    }
  });

  async function partitions(database: LogDatabase): Promise<string[]> {
    const { rows } = await database.admin.query<{ name: string }>(
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'eventstore.log'::regclass order by 1",
    );
    return rows.map(({ name }) => name.replace('eventstore.', ''));
  }

  /** A log whose first unit ends at `position`: one row that says that it holds so many events. */
  async function beginNear(database: LogDatabase, position: number): Promise<void> {
    await database.admin.query(
      `with unit as (
        insert into eventstore.log (position, count, unit, stream, version, recorded_at, meta, events)
        values (1, $1, 1, 'first/1', 1, now(), '{"unit": "first"}', '[]')
      )
      insert into eventstore.commits (position, count, batch, recorded_at, digest, hash) values (1, $1, gen_random_uuid(), now(), '', '')`,
      [position],
    );
  }
});

describe('a log that is broken is not read past', () => {
  test.each([
    ['a row in the middle of the log is gone', 'delete from eventstore.log where position = 4', 4],
    ['a row in the middle of a unit is gone', 'delete from eventstore.log where position = 5', 5],
    ['the last row of the last unit is gone', 'delete from eventstore.log where position = 9', 9],
    ['a unit has lost its head', 'update eventstore.log set meta = null where position = 4', 4],
    ['a row belongs to another unit', 'update eventstore.log set unit = 1 where position = 5', 5],
  ])('%s', async (_, damage, position) => {
    const database = await logDatabase();
    const log = database.open({ pageRows: 3 });
    for (let round = 0; round < 3; round++)
      await append(log, unitOf([exact('a/1', round), exact('b/1', round), exact('c/1', round)]));
    await database.admin.query(damage);
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      for await (const unit of log.readAll(0)) seen.push(unit.lastPosition);
    };
    await expect(read()).rejects.toMatchObject({ code: 'LogCorrupted', position });
    // What came before is read; nothing of the broken unit is.
    expect(seen.every((last) => last < position)).toBe(true);
    await expect(collect(database.open().subscribe(0, new AbortController().signal))).rejects.toMatchObject({
      code: 'LogCorrupted',
    });
  });

  test('a version of a stream is gone', async () => {
    const database = await logDatabase();
    const log = database.open({ pageRows: 2 });
    for (let version = 0; version < 6; version++) await append(log, unitOf([exact('a/1', version)]));
    await database.admin.query('delete from eventstore.log where position = 4');
    await expect(collect(log.readStream('a/1'))).rejects.toMatchObject({ code: 'LogCorrupted', position: 5 });
    await expect(collect(log.readStream('a/1', 3))).rejects.toMatchObject({ code: 'LogCorrupted' });
    expect((await collect(log.readStream('a/1', 4))).length).toBe(2);
  });
});
