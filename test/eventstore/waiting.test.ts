import { expect, test } from 'vitest';
import { append } from '../../eventstore/index.ts';
import { appendBatch, encodeBatch } from '../../eventstore/postgres/append-batch.ts';
import { anywhere, event, exact, submitted, unitOf } from '../../eventstore/testing/samples.ts';
import { batchOf } from './support/batches.ts';
import { holdAppendLock, logDatabase } from './support/log-database.ts';
import { until } from './support/until.ts';

/** Proves what appends do while the store makes them wait, and when it says no for good. */
test.each([
  { what: 'for the lock of another append (lock_timeout)', limits: { lockTimeoutMs: 50 }, code: '55P03' },
  { what: 'longer than a statement may take (statement_timeout)', limits: { statementTimeoutMs: 50 }, code: '57014' },
])('one who waits $what says so, and goes on when it can', async ({ limits, code }) => {
  const database = await logDatabase();
  const lock = await holdAppendLock(database.admin);
  const troubles: unknown[] = [];
  const log = database.open({ ...limits, onTrouble: (error) => troubles.push(error) });
  const result = submitted(log, unitOf([exact('a/1', 0)]));
  await until(() => troubles.length >= 3);
  expect(troubles).toEqual(troubles.map(() => expect.objectContaining({ code }) as unknown));
  await lock.release();
  expect(await result).toMatchObject({ outcome: 'committed', position: 1 });
  expect(troubles.at(-1)).toBeUndefined();
  expect(await database.commits()).toBe(1);
});

test('a store that is read-only for now is waited for', async () => {
  const database = await logDatabase();
  const name = database.config.database ?? '';
  await database.admin.query(`alter database ${name} set default_transaction_read_only = on`);
  const troubles: unknown[] = [];
  const log = database.open({ onTrouble: (error) => troubles.push(error) });
  const result = submitted(log, unitOf([exact('a/1', 0)]));
  await until(() => troubles.length >= 2);
  expect(troubles[0]).toMatchObject({ code: '25006' });
  await database.admin.query(`alter database ${name} reset default_transaction_read_only`);
  expect(await result).toMatchObject({ outcome: 'committed', position: 1 });
});

test('a database whose transactions see one snapshot by default is told otherwise', async () => {
  const database = await logDatabase();
  const name = database.config.database ?? '';
  await database.admin.query(`alter database ${name} set default_transaction_isolation = 'repeatable read'`);
  const log = database.open();
  const other = database.open();
  await Promise.all([append(log, unitOf([exact('a/1', 0)])), append(other, unitOf([exact('b/1', 0)]))]);
  const observer = await logDatabase(database.config);
  const lock = await holdAppendLock(database.admin);
  // Both wait with what would be their snapshot; the second must see what the first has written.
  const results = [submitted(log, unitOf([exact('a/1', 1)])), submitted(other, unitOf([exact('a/1', 1)]))];
  await observer.untilAppendsWait(2);
  await lock.release();
  expect((await Promise.all(results)).map(({ outcome }) => outcome).sort()).toEqual(['committed', 'stale']);
  expect(await database.findings()).toEqual([]);
});

test('while a call waits, a foreign transaction overtakes it: what stood on it in the queue falls too', async () => {
  const database = await logDatabase();
  const observer = await logDatabase(database.config);
  const log = database.open();
  const wallet = (expected: number, ...amounts: number[]) =>
    unitOf([{ stream: 'wallet/1', expect: expected, events: amounts.map((amount) => event({ amount })) }]);
  await append(log, wallet(0, 100, 0, 0, 0, 0));

  await database.admin.query('begin');
  await appendBatch(database.admin, encodeBatch(batchOf(wallet(5, -80))));
  const a = submitted(log, wallet(5, -30));
  await observer.untilAppendsWait(1);
  const b = submitted(log, wallet(6, -60));
  const bystander = submitted(log, unitOf([exact('bystander/1', 0)]));
  await database.admin.query('commit');

  expect(await a).toEqual({ outcome: 'stale', stream: 'wallet/1', expected: 5, actual: 6 });
  expect(await b).toMatchObject({ outcome: 'stale', stream: 'wallet/1', expected: 6 });
  expect(await bystander).toMatchObject({ outcome: 'committed' });
  const amounts = (await database.units())
    .flatMap(({ rows }) => rows.filter(({ stream }) => stream === 'wallet/1'))
    .flatMap(({ events }) => events.map(({ data }) => (data as { amount: number }).amount));
  expect(amounts.reduce((sum, amount) => sum + amount)).toBe(20);
});

test('what the store cannot write has failed: the batch falls, with all that waits on it, and the log goes on', async () => {
  const database = await logDatabase();
  await database.admin.query("alter table eventstore.log_p0 add constraint no_poison check (stream <> 'poison/1')");
  const log = database.open({ batchLimits: { batchUnitsMax: 2 } });
  const results = await Promise.all(
    [
      unitOf([exact('poison/1', 0)]),
      unitOf([exact('same-batch/1', 0), anywhere('system/s')]),
      unitOf([exact('same-batch/1', 1), exact('other/1', 0)]),
      unitOf([exact('other/1', 1)]),
      unitOf([exact('bystander/1', 0), anywhere('system/s')]),
    ].map((unit) => submitted(log, unit)),
  );
  expect(results.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed', 'failed', 'committed']);
  expect(results[0]).toMatchObject({ error: { code: '23514', constraint: 'no_poison' } });
  // Nothing of it is left on the fence either.
  expect(await append(log, unitOf([exact('same-batch/1', 0)]))).toMatchObject({ outcome: 'committed', position: 3 });
  expect(await database.findings()).toEqual([]);
});

test('the same batch sent by many at once is written once, and all are given the same answer', async () => {
  const database = await logDatabase();
  await append(database.open(), unitOf([anywhere('system/s', 3)]));
  const batch = encodeBatch(
    batchOf(unitOf([exact('a/1', 0), anywhere('system/s')]), unitOf([exact('a/1', 1), anywhere('system/s')])),
  );
  const clients = await Promise.all(Array.from({ length: 8 }, () => database.connect()));
  const answers = await Promise.all(clients.map((client) => appendBatch(client, batch)));
  expect(answers[0]).toMatchObject({ outcome: 'committed', position: 4, systemVersions: new Map([['system/s', 3]]) });
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect((await database.units()).length).toBe(3);

  // Long after, too, when the streams have gone on.
  await append(database.open(), unitOf([exact('a/1', 2), anywhere('system/s')]));
  expect(await appendBatch(database.admin, batch)).toEqual(answers[0]);
  expect(await database.findings()).toEqual([]);
});
