import { randomUUID } from 'node:crypto';
import { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { append } from '../../eventstore/event-log.ts';
import { KurrentLog, openKurrentLog } from '../../eventstore/kurrentdb/kurrent-log.ts';
import { anywhere, collect, committed, exact, followed, submitted, unitOf } from '../../eventstore/testing/samples.ts';
import { type Fault, StandIn } from './stand-in.ts';

/** Proves that an append whose answer is lost is asked for, and is in the log once, whatever the server makes of doubles. */

let standIn: StandIn;
let client: KurrentDBClient;

beforeAll(async () => {
  standIn = await StandIn.start();
  client = KurrentDBClient.connectionString(standIn.url);
});

afterAll(async () => {
  await client.dispose();
  standIn.stop();
});

function start(onTrouble?: (error: Error | undefined) => void, closePatienceMs?: number): KurrentLog {
  return new KurrentLog(client, {
    namespace: `test-${randomUUID()}`,
    ...(onTrouble && { onTrouble }),
    ...(closePatienceMs !== undefined && { closePatienceMs }),
  });
}

const units = {
  'on a guarded stream and others': () => unitOf([anywhere('system/s', 2), exact('a/1', 1), anywhere('system/t')]),
  'on unconstrained streams only': () => unitOf([anywhere('system/s', 2), anywhere('system/t')]),
};

describe.each([
  ['a server that knows doubles', true],
  ['a server that does not', false],
])('%s', (_, knowsDoubles) => {
  beforeAll(() => {
    standIn.store.knowsDoubles = knowsDoubles;
  });

  describe.each(Object.entries(units))('a unit %s', (_, makeUnit) => {
    test.each([
      [['silent']],
      [['refused', 'refused']],
      [['late']],
      [['late', 'late', 'silent']],
      [['refused', 'late', 'refused']],
    ] satisfies [Fault[]][])('is in the log once after %j', async (faults) => {
      const told: (Error | undefined)[] = [];
      const log = start((error) => told.push(error));
      await committed(log, unitOf([exact('a/1', 0), anywhere('system/s')]));
      standIn.faults.push(...faults);
      const unit = makeUnit();
      const { position, lastPosition } = await committed(log, unit);
      // What comes late comes before the next append: so that one is made, and nothing is left to come.
      await committed(log, unitOf([exact('b/1', 0)], 'next'));
      const all = await collect(log.readAll(0));
      expect(all.map(({ id }) => id).slice(1)).toEqual([unit.id, 'next']);
      expect(all[1]).toMatchObject({ position, lastPosition });
      expect(told.at(-1)).toBeUndefined();
      expect(told[0]).toBeInstanceOf(Error);
      await log.close();
    });
  });

  test('is stale when another one got there first, though its own first append comes late', async () => {
    const log = start();
    const other = unitOf([exact('a/1', 0)], 'other');
    standIn.faults.push('refused');
    const [first, second] = [submitted(log, other), submitted(log, unitOf([exact('a/1', 0)], 'rival'))];
    expect(await first).toMatchObject({ outcome: 'committed' });
    expect(await second).toEqual({ outcome: 'stale', stream: 'a/1', expected: 0, actual: 1 });
    await log.close();
  });
});

test('the same unit handed in twice is judged by its versions, as on every store', async () => {
  const log = start();
  const unit = unitOf([exact('a/1', 0)], 'one');
  expect(await append(log, unit)).toMatchObject({ outcome: 'committed' });
  expect(await append(log, unit)).toEqual({ outcome: 'stale', stream: 'a/1', expected: 0, actual: 1 });
  await log.close();
});

test('followers go on where they were when the server was away', async () => {
  let server = await StandIn.start();
  const log = await openKurrentLog({ url: server.url });
  onTestFinished(async () => {
    await log.close();
    server.stop();
  });
  const following = followed(log, 0, 4);
  await committed(log, unitOf([exact('a/1', 0, 3)], 'one'));
  await committed(log, unitOf([exact('a/1', 3)], 'two'));
  server.stop();
  const during = append(log, unitOf([exact('a/1', 4)], 'three'));
  server = await StandIn.start(server);
  expect(await during).toMatchObject({ outcome: 'committed' });
  await committed(log, unitOf([exact('a/1', 5)], 'four'));
  expect((await following).map(({ id }) => id)).toEqual(['one', 'two', 'three', 'four']);
});

test('a log that is closed while the store does not answer says so of what is in doubt, and of nothing else', async () => {
  const server = await StandIn.start();
  const own = KurrentDBClient.connectionString(server.url);
  const log = new KurrentLog(own, { closePatienceMs: 100 });
  onTestFinished(() => own.dispose());
  await committed(log, unitOf([exact('a/1', 0)]));
  server.stop();
  const told: string[] = [];
  log.submit(unitOf([exact('a/1', 1)]), ({ outcome }) => told.push(outcome));
  log.submit(unitOf([exact('a/1', 2)]), ({ outcome }) => told.push(outcome));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await expect(log.close()).rejects.toMatchObject({ code: 'OutcomeUnknown' });
  expect(told).toEqual(['failed']);
});
