import { fc, test } from '@fast-check/vitest';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { projections, rebuild, runProjector, verify, waitForPosition } from '../../src/projections/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openForRandom, randomSteps, runStep } from '../support/random-commands.ts';
import { Scribe } from '../support/units.ts';

describe('Invariant 5: rebuilding any projection from position 0 gives the rows of the live one', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;
  let scribe: Scribe;
  let number = 0;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    log = new PostgresLog({ config: database.poolConfig });
    scribe = new Scribe(log);
    openForRandom(scribe);
    await scribe.written();
  });
  afterAll(async () => {
    await log.close();
    await pool.end();
    await database.drop();
  });

  // The log grows from run to run: each run adds a random stretch, projected in other batches than those before.
  test.prop([randomSteps, fc.integer({ min: 1, max: 40 }), fc.constantFrom(0, 1, 5), fc.constantFrom(...projections)], {
    numRuns: 15,
    endOnFailure: true,
  })('whatever happened, in whatever batches', async (steps, batchUnitsMax, lingerMs, projection) => {
    const over = new AbortController();
    const run = runProjector({ log, pool, projections, signal: over.signal, batchUnitsMax, lingerMs });
    for (const step of steps) runStep(scribe, step, String(number++));
    await scribe.written();
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000)).toBe(true);
    over.abort();
    await run;
    const report = await rebuild({ log, pool, projection });
    for (const { onlyLive, onlyFresh, differing, examples } of report.differences) {
      expect({ onlyLive, onlyFresh, differing, examples }).toEqual({
        onlyLive: 0,
        onlyFresh: 0,
        differing: 0,
        examples: [],
      });
    }
    expect((await verify({ pool, projections })).findings).toEqual([]);
  });
});
