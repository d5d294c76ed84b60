import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PostgresLog, type RecordedUnit } from '../../eventstore/index.ts';
import { defineTable } from '../../src/projections/table.ts';
import type { Projection } from '../../src/projections/projection.ts';
import {
  projectionLag,
  projections,
  rebuild,
  runProjector,
  verify,
  waitForPosition,
} from '../../src/projections/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';

const countsTable = defineTable({
  name: 'unit_counts',
  key: ['principal'],
  columns: { principal: { type: 'text' }, units: { type: 'bigint', fold: 'add' }, note: { type: 'integer' } },
});

/** Counts units; `strike` is called first and may throw, or give a note that the column cannot take. */
function counting(strike: (unit: RecordedUnit) => number | undefined, version = 1): Projection {
  return {
    name: 'unit_counts',
    version,
    tables: [countsTable],
    module: 'payments',
    fold(unit, changes) {
      changes.set(countsTable, [unit.meta.principal], { note: strike(unit) });
      changes.add(countsTable, [unit.meta.principal], { units: 1n });
    },
  };
}

describe('A projection that cannot take an event stops alone, right before it', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;
  let scribe: Scribe;
  let stop: AbortController;
  let run: Promise<void>;
  let errors: Error[];

  beforeEach(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    log = new PostgresLog({ config: database.poolConfig });
    scribe = new Scribe(log);
    run = Promise.resolve();
    stop = new AbortController();
    errors = [];
    for (const id of ['alice', 'bob']) scribe.open(id);
    scribe.cashIn('alice', 1_000n);
    for (let number = 0; number < 50; number++) scribe.p2p('alice', 'bob', 1n);
    await scribe.written();
  });
  afterEach(async () => {
    await end();
    await log.close();
    await pool.end();
    await database.drop();
  });

  const start = (projection: Projection): void => {
    stop = new AbortController();
    const all = [...projections, projection];
    run = runProjector({ log, pool, projections: all, signal: stop.signal, onError: (error) => errors.push(error) });
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await run;
  };
  const others = projections.map(({ name }) => name);
  const units = async (): Promise<number> => {
    const { rows } = await pool.query<{ units: string }>('select units from projections.unit_counts');
    return Number(rows[0]?.units);
  };
  const lagOfCounts = async () => (await projectionLag(pool)).find(({ projection }) => projection === 'unit_counts');
  const untilStopped = async (): Promise<void> => {
    await expect.poll(async () => (await lagOfCounts())?.errorPosition, { timeout: 10_000 }).toBeDefined();
  };
  /** The 30th unit of all: its place, and the end of the one before it. */
  const struck = async (): Promise<{ position: number; before: number }> => {
    let count = 0;
    let before = 0;
    for await (const unit of log.readAll(0)) {
      if (++count === 30) return { position: unit.position, before };
      before = unit.lastPosition;
    }
    throw new Error('there is no 30th unit');
  };

  it.each([
    [
      'its fold throws',
      (): never => {
        throw new Error('no such thing');
      },
    ],
    ['the database refuses its row', (): number => 12_345_678_901],
  ])('when %s', async (_, strike) => {
    const { position, before } = await struck();
    const fragile = counting((unit) => (unit.position === position ? strike() : undefined));
    start(fragile);
    await untilStopped();
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000, others)).toBe(true);
    expect(await lagOfCounts()).toMatchObject({ position: before, errorPosition: position });
    expect(await units()).toBe(29);
    expect(errors).toMatchObject([{ code: 'ProjectionFault', position }]);
    // The others go on.
    scribe.p2p('alice', 'bob', 1n);
    await scribe.written();
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000, others)).toBe(true);
    expect((await verify({ pool, projections: [...projections, fragile] })).findings[0]).toMatchObject({
      check: 'projections',
      position,
    });

    // A new process of better code takes it up where it stopped.
    await end();
    start(counting(() => undefined));
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000)).toBe(true);
    expect(await units()).toBe(54);
    expect(await lagOfCounts()).toMatchObject({ error: undefined, errorPosition: undefined });
  });

  it('goes on in the same process after a rebuild by better code', async () => {
    let heals = false;
    const { position } = await struck();
    const fragile = counting((unit) => {
      if (unit.position === position && !heals) throw new Error('no such thing');
      return undefined;
    });
    start(fragile);
    await untilStopped();
    heals = true;
    expect(await rebuild({ log, pool, projection: fragile })).toMatchObject({
      tableVersion: 2,
      differences: [{ differing: 0 }],
    });
    scribe.p2p('alice', 'bob', 1n);
    await scribe.written();
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000)).toBe(true);
    expect(await units()).toBe(54);
  });

  it('leaves tables of other code alone until they are rebuilt', async () => {
    start(counting(() => undefined, 1));
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000)).toBe(true);
    await end();
    const newer = counting(() => undefined, 2);
    start(newer);
    const before = await log.lastPosition();
    scribe.p2p('alice', 'bob', 1n);
    await scribe.written();
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000, others)).toBe(true);
    expect(errors).toMatchObject([{ code: 'ProjectionOutdated' }]);
    expect(await lagOfCounts()).toMatchObject({ position: before });
    await rebuild({ log, pool, projection: newer });
    scribe.p2p('alice', 'bob', 1n);
    await scribe.written();
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000)).toBe(true);
    expect(await units()).toBe(55);
  });
});
