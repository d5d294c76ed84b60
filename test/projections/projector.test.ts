import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { projections, runProjector } from '../../src/projections/index.ts';
import { accountsById, paymentsById, trialBalance, waitForPosition } from '../../src/projections/queries.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';

describe('The projector keeps the tables of projections up with the log', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    log = new PostgresLog({ config: database.poolConfig });
  });
  afterAll(async () => {
    await log.close();
    await pool.end();
    await database.drop();
  });

  it('shows payments, balances and the trial balance a moment after they were written', async () => {
    const stop = new AbortController();
    const errors: Error[] = [];
    const run = runProjector({ log, pool, projections, signal: stop.signal, onError: (error) => errors.push(error) });
    const scribe = new Scribe(log);
    for (const id of ['alice', 'bob']) scribe.open(id);
    scribe.open('shop', { walletType: 'merchant', feeBps: 100 });
    scribe.cashIn('alice', 1_000n);
    const sent = scribe.p2p('alice', 'bob', 300n);
    const bought = scribe.merchant('bob', 'shop', 200n, { upTo: 'AUTHORIZED' });
    await scribe.written();
    expect(await waitForPosition(pool, await log.lastPosition(), 5_000)).toBe(true);
    expect(await accountsById(pool, ['bob'])).toMatchObject([
      { posted: 300n, held: 200n, available: 100n, status: 'OPEN' },
    ]);
    scribe.capture(bought, 150n);
    scribe.settle(bought);
    await scribe.written();
    expect(await waitForPosition(pool, await log.lastPosition(), 5_000)).toBe(true);
    expect(await paymentsById(pool, [sent])).toMatchObject([{ status: 'SETTLED', captured: 300n, held: 0n }]);
    expect(await paymentsById(pool, [bought])).toMatchObject([
      { status: 'SETTLED', authorized: 200n, captured: 150n, held: 0n, fee: 1n },
    ]);
    expect(await accountsById(pool, ['float:cash:XOF'])).toMatchObject([{ posted: -1_000n, class: 'float' }]);
    const sums = (await trialBalance(pool)).reduce((sum, row) => sum + row.balance, 0n);
    expect(sums).toBe(0n);
    stop.abort();
    await run;
    expect(errors).toEqual([]);
  });
});
