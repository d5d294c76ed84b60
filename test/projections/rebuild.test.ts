import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { accountsProjection } from '../../src/projections/accounts.projection.ts';
import {
  dropOldTables,
  installProjections,
  projections,
  rebuild,
  RebuildBlockedError,
  runProjector,
  waitForPosition,
} from '../../src/projections/index.ts';
import { paymentsProjection } from '../../src/projections/payments.projection.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { rowsOf } from '../support/projection-rows.ts';
import { Scribe } from '../support/units.ts';

describe('A rebuild folds a projection anew while the product serves', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;
  let scribe: Scribe;
  let stop: AbortController;
  let run: Promise<void>;
  const errors: Error[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool({ ...database.poolConfig, max: 20 });
    log = new PostgresLog({ config: database.poolConfig });
    scribe = new Scribe(log);
    for (let number = 0; number < 20; number++) {
      scribe.open(`wallet-${number}`);
      scribe.cashIn(`wallet-${number}`, 1_000_000n);
    }
    scribe.open('shop', { walletType: 'merchant', feeBps: 50 });
    await scribe.written();
    await installProjections(pool, projections);
    startProjector();
  });
  afterEach(async () => {
    await stopProjector();
    await log.close();
    await pool.end();
    await database.drop();
    expect(errors).toEqual([]);
  });

  function startProjector(): void {
    stop = new AbortController();
    run = runProjector({
      log,
      pool,
      projections,
      signal: stop.signal,
      lingerMs: 2,
      onError: (error) => errors.push(error),
    });
  }
  async function stopProjector(): Promise<void> {
    stop.abort();
    await run;
  }

  /** Payments of all sorts, from a counter. */
  let made = 0;
  function makePayments(count: number): void {
    for (let end = made + count; made < end; made++) {
      const [payer, payee] = [`wallet-${made % 20}`, `wallet-${(made * 7 + 1) % 20}`];
      if (made % 5 === 0) {
        const bought = scribe.merchant(payer, 'shop', 100n, { upTo: 'AUTHORIZED' });
        if (made % 10 === 0) scribe.capture(bought, 60n);
        if (made % 20 === 0) {
          scribe.settle(bought);
          scribe.pay({ kind: 'REFUND', original: bought, amount: 10n });
        }
        if (made % 10 === 5) scribe.reverse(bought);
      } else if (payer !== payee) scribe.p2p(payer, payee, 1n + BigInt(made % 9));
    }
  }
  async function settled(): Promise<void> {
    await scribe.written();
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000)).toBe(true);
  }

  it('gives the same rows as the live tables, while appends go on', async () => {
    makePayments(500);
    await scribe.written();
    const over = new AbortController();
    const appending = (async () => {
      while (!over.signal.aborted) {
        makePayments(20);
        await scribe.written();
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    })();
    for (const projection of projections) {
      const report = await rebuild({ log, pool, projection });
      const differences = report.differences.map((table) => table.onlyLive + table.onlyFresh + table.differing);
      expect(differences).toEqual(projection.tables.map(() => 0));
      expect(report).toMatchObject({ projection: projection.name, tableVersion: 2 });
      expect(report.comparedAt).toBeGreaterThan(0);
    }
    over.abort();
    await appending;
    makePayments(50);
    await settled();
    // The projector moved to the new tables, and they are whole: yet another fold finds nothing.
    for (const projection of projections) {
      const report = await rebuild({ log, pool, projection });
      const nothing = { onlyLive: 0, onlyFresh: 0, differing: 0 };
      expect(report.differences).toMatchObject(projection.tables.map(() => nothing));
      expect(report.comparedAt).toBe(await log.lastPosition());
    }
  });

  it('works when nothing keeps the live tables up, and goes on to the end of the log', async () => {
    await settled();
    await stopProjector();
    const before = await rowsOf(pool, [accountsProjection]);
    makePayments(30);
    await scribe.written();
    const report = await rebuild({ log, pool, projection: accountsProjection });
    expect(report.differences).toMatchObject([{ onlyLive: 0, onlyFresh: 0, differing: 0 }]);
    expect(report.events).toBe(await log.lastPosition());
    expect(await rowsOf(pool, [accountsProjection])).not.toEqual(before);
    startProjector();
    await settled();
  });

  it('reports a difference that was planted, with the rows, and heals it', async () => {
    makePayments(50);
    await settled();
    await pool.query(`update projections.accounts_v1 set posted = posted + 1 where id = 'wallet-3'`);
    await pool.query(`delete from projections.accounts_v1 where id = 'wallet-4'`);
    await pool.query(`insert into projections.accounts_v1 (id, posted) values ('ghost', 12345678901234567890123)`);
    const report = await rebuild({ log, pool, projection: accountsProjection });
    expect(report.differences).toMatchObject([{ onlyLive: 1, onlyFresh: 1, differing: 1 }]);
    const [ghost, changed, lost] = report.differences[0]?.examples ?? [];
    expect(ghost).toMatchObject({ key: ['ghost'], live: { posted: '12345678901234567890123' }, fresh: undefined });
    expect(changed).toMatchObject({ key: ['wallet-3'] });
    expect(BigInt(changed?.live?.['posted'] ?? '')).toBe(BigInt(changed?.fresh?.['posted'] ?? '') + 1n);
    expect(lost).toMatchObject({ key: ['wallet-4'], live: undefined });
    const again = await rebuild({ log, pool, projection: accountsProjection });
    expect(again.differences).toMatchObject([{ onlyLive: 0, onlyFresh: 0, differing: 0 }]);
  });

  it('leaves the live view untouched when it is interrupted, and the next one starts clean', async () => {
    makePayments(2_000);
    await settled();
    const before = await rowsOf(pool, [paymentsProjection]);
    const abort = new AbortController();
    const options = {
      log,
      pool,
      projection: paymentsProjection,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    };
    await expect(rebuild(options)).rejects.toThrow(/abort/);
    expect(await rowsOf(pool, [paymentsProjection])).toEqual(before);
    // As a kill would leave it: half-filled tables under the next number.
    await pool.query('create table projections.payments_v2 (like projections.payments_v1 including defaults)');
    await pool.query(`insert into projections.payments_v2 (id) values ('half')`);
    const report = await rebuild({ log, pool, projection: paymentsProjection });
    expect(report).toMatchObject({ tableVersion: 2, differences: [{ onlyLive: 0, onlyFresh: 0, differing: 0 }] });
    expect(await rowsOf(pool, [paymentsProjection])).toEqual(before);
  });

  it('fails when the connection that holds its lock is cut, and the next one starts clean', async () => {
    makePayments(300);
    await settled();
    const before = await rowsOf(pool, [paymentsProjection]);
    let cutting: Promise<unknown> | undefined;
    const onProgress = (): void => {
      cutting ??= pool.query(
        `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database =
           (select oid from pg_database where datname = current_database())`,
      );
    };
    await expect(rebuild({ log, pool, projection: paymentsProjection, onProgress })).rejects.toThrow();
    await cutting;
    expect(await rowsOf(pool, [paymentsProjection])).toEqual(before);
    expect(await rebuild({ log, pool, projection: paymentsProjection })).toMatchObject({
      tableVersion: 2,
      differences: [{ onlyLive: 0, onlyFresh: 0, differing: 0 }],
    });
  });

  it('waits for readers in long transactions, and others read meanwhile', async () => {
    await settled();
    const reader = await pool.connect();
    await reader.query('begin; select count(*) from projections.accounts');
    const rebuilding = rebuild({ log, pool, projection: accountsProjection });
    await new Promise((resolve) => setTimeout(resolve, 700));
    makePayments(10);
    await settled();
    expect((await pool.query('select 1 from projections.accounts limit 1')).rowCount).toBe(1);
    await reader.query('commit');
    reader.release();
    expect(await rebuilding).toMatchObject({ tableVersion: 2 });
  });

  it('is one at a time for a projection', async () => {
    await settled();
    const blocker = await pool.connect();
    await blocker.query(`select pg_advisory_lock(hashtext('projections.rebuild'), hashtext('accounts'))`);
    await expect(rebuild({ log, pool, projection: accountsProjection })).rejects.toThrow(RebuildBlockedError);
    await expect(dropOldTables(pool, accountsProjection)).rejects.toThrow(RebuildBlockedError);
    blocker.release(true);
  });

  it('keeps the old tables until they are dropped by hand', async () => {
    await settled();
    await rebuild({ log, pool, projection: accountsProjection });
    const tables = async (): Promise<string[]> => {
      const { rows } = await pool.query<{ name: string }>(
        `select tablename as name from pg_tables where schemaname = 'projections' and tablename like 'accounts%' order by 1`,
      );
      return rows.map(({ name }) => name);
    };
    expect(await tables()).toEqual(['accounts_v1', 'accounts_v2']);
    expect(await dropOldTables(pool, accountsProjection)).toEqual(['projections."accounts_v1"']);
    expect(await tables()).toEqual(['accounts_v2']);
    makePayments(10);
    await settled();
  });
});
