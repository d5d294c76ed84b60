import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  checkMirrorOf,
  claimForMirror,
  type EventLog,
  openKurrentLog,
  PostgresLog,
  readMirror,
  runMirror,
} from '../../eventstore/index.ts';
import { MirrorComparison } from '../../eventstore/mirror/compare-mirror.ts';
import { findStreamFaults } from '../../eventstore/postgres/verify-streams.ts';
import { anywhere, collect, committed, exact, unitOf } from '../../eventstore/testing/samples.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { StandIn } from './stand-in.ts';

/** Proves that the mirror of a log in KurrentDB is that log, whoever writes it and stops, and that a wrong one is found out. */

let standIn: StandIn;
let log: EventLog;
let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  standIn = await StandIn.start();
  log = await openKurrentLog({ url: standIn.url });
  database = await createTestDatabase();
  pool = new pg.Pool(database.poolConfig);
  await claimForMirror(pool);
});
afterAll(async () => {
  await log.close();
  standIn.stop();
  await pool.end();
  await database.drop();
});

let number = 0;

/** Units of several rows and events on streams of both kinds. */
async function appendUnits(count: number): Promise<void> {
  for (let unit = 0; unit < count; unit++) {
    number += 1;
    await committed(log, unitOf([exact(`a/${number}`, 0, 2), anywhere('system/s', 1 + (number % 3))]));
  }
}

async function mirrored(): Promise<void> {
  const last = await log.lastPosition();
  await expect.poll(async () => (await readMirror(pool))?.position, { timeout: 10_000 }).toBe(last);
}

/** What is wrong with the mirror as it is now. */
async function faults(): Promise<string[]> {
  const client = await pool.connect();
  try {
    await client.query('begin isolation level repeatable read');
    const found: string[] = [];
    const until = (await readMirror(client))?.position ?? 0;
    const comparison = new MirrorComparison(client, until, ({ position, message }) => {
      expect(message).toContain(`position ${position}`);
      found.push(message.replaceAll(/[0-9]+/g, 'n'));
    });
    for await (const unit of log.readAll(0)) await comparison.visit(unit);
    await comparison.end();
    found.push(...(await findStreamFaults(client)).map(({ check }) => check));
    return found;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

test('two that write it at the same time, one of which stops in the middle, write each unit once', async () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const errors: Error[] = [];
  const run = ({ signal }: AbortController): Promise<void> =>
    runMirror({ log, pool, signal, batchUnitsMax: 3, lingerMs: 1, onError: (error) => errors.push(error) });
  const running = [run(first), run(second)];
  await appendUnits(20);
  first.abort();
  await appendUnits(20);
  await mirrored();
  second.abort();
  await Promise.all(running);
  expect(errors).toEqual([]);
  const { rows } = await pool.query<{ rows: string; events: string }>(
    'select count(*) as rows, sum(count) as events from eventstore.log',
  );
  const units = await collect(log.readAll(0));
  const all = units.flatMap((unit) => unit.rows);
  expect(rows[0]).toEqual({
    rows: String(all.length),
    events: String(all.reduce((sum, row) => sum + row.events.length, 0)),
  });
  expect(units).toHaveLength(40);
  expect(await faults()).toEqual([]);
});

test.each([
  [
    'a row that is gone',
    `delete from eventstore.log where position = $1`,
    'the mirror has no row of system/s at position n',
  ],
  [
    'an event that was changed',
    `update eventstore.log set events = replace(events::text, 'SomethingHappened', 'NothingHappened')::json where position = $1`,
    'the row of system/s at position n of the mirror is not what the log has',
  ],
  [
    'a row of which the log knows nothing',
    `insert into eventstore.log (position, count, unit, stream, version, events)
     select position + 1, 1, unit, 'b/1', 1, '[]' from eventstore.log where position = $1`,
    'the mirror has a row at position n, and the log has none',
  ],
])('%s is found', async (_, statement, message) => {
  const run = new AbortController();
  const running = runMirror({ log, pool, signal: run.signal });
  await appendUnits(3);
  await mirrored();
  run.abort();
  await running;
  const client = await pool.connect();
  try {
    // Rolled back: the tests do not meet each other's faults.
    await client.query('begin isolation level repeatable read');
    const { rows } = await client.query<{ position: string }>(
      `select position from eventstore.log where stream = 'system/s' order by position offset 1 limit 1`,
    );
    await client.query(statement, [rows[0]?.position]);
    const found: { readonly position: number; readonly message: string }[] = [];
    const comparison = new MirrorComparison(client, await log.lastPosition(), (finding) => found.push(finding));
    for await (const unit of log.readAll(0)) await comparison.visit(unit);
    await comparison.end();
    expect(found.map((one) => one.message.replaceAll(/[0-9]+/g, 'n'))).toEqual([message]);
    expect(Math.abs((found[0]?.position ?? 0) - Number(rows[0]?.position))).toBeLessThanOrEqual(1);
  } finally {
    await client.query('rollback');
    client.release();
  }
});

test('a mirror is of one log: another one is refused, and so is a log of the database itself', async () => {
  await checkMirrorOf(log, pool);
  const other = await StandIn.start();
  const otherLog = await openKurrentLog({ url: other.url });
  onTestFinished(async () => {
    await otherLog.close();
    other.stop();
  });
  await expect(checkMirrorOf(otherLog, pool)).rejects.toMatchObject({ code: 'OtherLog' });
  const own = await createTestDatabase();
  const ownPool = new pg.Pool(own.poolConfig);
  const ownLog = new PostgresLog({ config: own.poolConfig });
  onTestFinished(async () => {
    await ownLog.close();
    await ownPool.end();
    await own.drop();
  });
  await committed(ownLog, unitOf([exact('a/1', 0)]));
  await expect(claimForMirror(ownPool)).rejects.toMatchObject({ code: 'OtherLog' });
  expect(await readMirror(ownPool)).toBeUndefined();
});
