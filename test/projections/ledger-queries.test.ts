import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { balanceAt, entriesOfAccount, entriesOfPayment, timelineOf } from '../../src/projections/ledger-queries.ts';
import { installProjections, projections, runProjector, waitForPosition } from '../../src/projections/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';

describe('The ledger and the timelines are read from the log itself', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;
  let scribe: Scribe;
  /** Position of the log after each step. */
  const after: Record<string, number> = {};
  let bought = '';
  let refund = '';

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    await installProjections(pool, projections);
    log = new PostgresLog({ config: database.poolConfig });
    scribe = new Scribe(log);
    scribe.open('alice');
    scribe.open('bob');
    scribe.open('shop', { walletType: 'merchant', feeBps: 100 });
    const mark = async (step: string): Promise<void> => {
      await scribe.written();
      after[step] = await log.lastPosition();
    };
    await mark('opened');
    scribe.cashIn('alice', 1_000n, {}, '2024-06-01T10:00:00Z');
    await mark('first cash in');
    // Recorded later, but effective before the first.
    scribe.cashIn('alice', 50n, { providerFee: 5n }, '2024-05-01T10:00:00Z');
    await mark('second cash in');
    bought = scribe.merchant('alice', 'shop', 600n, { upTo: 'AUTHORIZED' }, '2024-06-02T10:00:00Z');
    await mark('held');
    scribe.capture(bought, 500n);
    scribe.settle(bought);
    refund = scribe.pay({ kind: 'REFUND', original: bought, amount: 100n });
    await mark('refunded');
  });
  afterAll(async () => {
    await log.close();
    await pool.end();
    await database.drop();
  });

  const posted = async (account: string, at: string): Promise<bigint | undefined> =>
    (await balanceAt(pool, { account, at: new Date(at) }))?.posted;

  it('gives a balance by business time, whatever the order of recording', async () => {
    expect(await posted('alice', '2024-04-30T00:00:00Z')).toBe(0n);
    expect(await posted('alice', '2024-05-01T10:00:00Z')).toBe(50n);
    expect(await posted('alice', '2024-06-01T09:59:59Z')).toBe(50n);
    expect(await posted('alice', '2024-06-01T10:00:00Z')).toBe(1_050n);
    expect(await posted('alice', '2025-06-01T10:00:00Z')).toBe(650n);
    expect(await posted('float:cash:XOF', '2024-05-15T00:00:00Z')).toBe(-45n);
    expect(await posted('cost:cash:XOF', '2024-05-15T00:00:00Z')).toBe(-5n);
  });

  it('gives a balance as it was recorded at a position, with what was held', async () => {
    const at = (account: string, step: string) => balanceAt(pool, { account, position: after[step] });
    expect(await at('alice', 'opened')).toEqual({ account: 'alice', currency: 'XOF', posted: 0n, held: 0n });
    expect(await at('alice', 'first cash in')).toMatchObject({ posted: 1_000n, held: 0n });
    expect(await at('alice', 'held')).toMatchObject({ posted: 1_050n, held: 600n });
    expect(await at('alice', 'refunded')).toMatchObject({ posted: 650n, held: 0n });
    expect(await at('float:cash:XOF', 'first cash in')).toMatchObject({ posted: -1_000n, held: undefined });
    expect(await at('float:cash:XOF', 'second cash in')).toMatchObject({ posted: -1_045n, currency: 'XOF' });
    expect(await balanceAt(pool, { account: 'float:cash:XOF', position: 1 })).toMatchObject({ posted: 0n });
  });

  it('gives the balance of now, and undefined for an account that is not there', async () => {
    expect(await balanceAt(pool, { account: 'shop' })).toMatchObject({ posted: 395n, held: 0n });
    // The last part of it is in no projection: entries after what the projection has are added.
    expect(await balanceAt(pool, { account: 'fees:XOF' })).toMatchObject({ posted: 5n, currency: 'XOF' });
    const stop = new AbortController();
    const run = runProjector({ log, pool, projections, signal: stop.signal });
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000)).toBe(true);
    stop.abort();
    await run;
    expect(await balanceAt(pool, { account: 'float:cash:XOF' })).toMatchObject({ posted: -1_045n });
    scribe.cashIn('bob', 20n);
    await scribe.written();
    expect(await balanceAt(pool, { account: 'float:cash:XOF' })).toMatchObject({ posted: -1_065n, currency: 'XOF' });
    expect(await balanceAt(pool, { account: 'nobody' })).toBeUndefined();
  });

  it('lists the entries of an account and of a payment', async () => {
    const ofAlice = await entriesOfAccount(pool, 'alice');
    expect(ofAlice.map(({ amount, step }) => [amount, step])).toEqual([
      [1_000n, 'CAPTURED'],
      [50n, 'CAPTURED'],
      [-500n, 'CAPTURED'],
      [100n, 'CAPTURED'],
    ]);
    expect(await entriesOfAccount(pool, 'alice', ofAlice[1]?.version)).toHaveLength(2);
    const ofPayment = await entriesOfPayment(pool, bought);
    expect(ofPayment.map(({ account, amount }) => [account, amount])).toEqual([
      ['alice', -500n],
      ['clearing:XOF', 500n],
      ['shop', 495n],
      ['clearing:XOF', -500n],
      ['fees:XOF', 5n],
    ]);
    expect((await entriesOfPayment(pool, refund)).map(({ account }) => account)).toEqual(['shop', 'alice']);
  });

  it('tells what happened to a payment, and the reservation of its refund', async () => {
    const steps = await timelineOf(pool, bought);
    expect(steps.map(({ version, fact, state }) => [version, fact, state])).toEqual([
      [1, 'PaymentInitiated', 'INITIATED'],
      [2, 'PaymentAuthorized', 'AUTHORIZED'],
      [3, 'PaymentCaptured', 'CAPTURED'],
      [4, 'PaymentSettled', 'SETTLED'],
      [5, 'RefundReserved', 'SETTLED'],
    ]);
    expect(steps[0]).toMatchObject({
      effectiveAt: '2024-06-02T10:00:00.000Z',
      principal: 'service:test',
      data: { kind: 'MERCHANT' },
    });
    expect(await timelineOf(pool, 'nothing')).toEqual([]);
  });
});
