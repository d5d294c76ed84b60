import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import {
  installProjections,
  projectionLag,
  projections,
  runProjector,
  verify,
  waitForPosition,
} from '../../src/projections/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';

const fixture = fileURLToPath(new URL('fixtures/projector-process.ts', import.meta.url));

describe('Every unit is in the tables exactly once, whoever projects and whatever dies', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;
  let scribe: Scribe;

  beforeEach(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    pool.on('error', () => undefined);
    log = new PostgresLog({ config: database.poolConfig });
    scribe = new Scribe(log);
    for (let number = 0; number < 10; number++) {
      scribe.open(`wallet-${number}`);
      scribe.cashIn(`wallet-${number}`, 1_000_000n);
    }
    await scribe.written();
    await installProjections(pool, projections);
  });
  afterEach(async () => {
    await log.close();
    await pool.end();
    await database.drop();
  });

  let made = 0;
  async function pay(count: number): Promise<void> {
    for (let end = made + count; made < end; made++) {
      scribe.p2p(`wallet-${made % 10}`, `wallet-${(made + 1 + (made % 8)) % 10}`, 1n + BigInt(made % 5));
    }
    await scribe.written();
  }
  async function isWhole(): Promise<void> {
    expect(await waitForPosition(pool, await log.lastPosition(), 20_000)).toBe(true);
    const report = await verify({ pool, projections });
    expect(report.findings).toEqual([]);
    expect(report.position).toBe(await log.lastPosition());
  }

  it('two projectors at once, one of them stopped and started again', async () => {
    const errors: Error[] = [];
    const start = (): { stop(): Promise<void> } => {
      const over = new AbortController();
      const options = { log, pool, projections, batchUnitsMax: 15, lingerMs: 0, standbyMs: 10 };
      const run = runProjector({ ...options, signal: over.signal, onError: (error) => errors.push(error) });
      return {
        stop: () => {
          over.abort();
          return run;
        },
      };
    };
    let [one, two] = [start(), start()];
    for (let round = 0; round < 10; round++) {
      await pay(60);
      await sleep(15);
      if (round % 3 === 1) {
        await one.stop();
        [one, two] = [two, start()];
      }
    }
    await isWhole();
    await Promise.all([one.stop(), two.stop()]);
    expect(errors).toEqual([]);
  });

  it('projectors that are killed between two transactions, and in the middle of one', async () => {
    const children: ChildProcess[] = [];
    const start = (): ChildProcess => {
      const child = spawn(process.execPath, [fixture, JSON.stringify(database.poolConfig)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      return child;
    };
    try {
      for (let round = 0; round < 6; round++) {
        const child = start();
        await pay(150);
        // Dies right after a commit was reported, or a little later: in the middle of the next transaction.
        await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')]);
        await sleep(round * 3);
        child.kill('SIGKILL');
      }
      start();
      start();
      await pay(100);
      await isWhole();
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });

  it('a projector whose connections are cut goes on by itself', async () => {
    const errors: Error[] = [];
    const over = new AbortController();
    const run = runProjector({
      log,
      pool,
      projections,
      signal: over.signal,
      batchUnitsMax: 10,
      lingerMs: 0,
      onError: (error) => errors.push(error),
    });
    const admin = new pg.Client(database.poolConfig);
    await admin.connect();
    for (let round = 0; round < 8; round++) {
      await pay(40);
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and application_name = ''`,
      );
    }
    await admin.end();
    await isWhole();
    over.abort();
    await run;
  });

  it('shows how far behind it is', async () => {
    await pay(10);
    await sleep(30);
    const last = await log.lastPosition();
    for (const lag of await projectionLag(pool)) {
      expect(lag).toMatchObject({ position: 0, eventsBehind: last, error: undefined });
      expect(lag.secondsBehind).toBeGreaterThan(0.02);
    }
    expect(await waitForPosition(pool, last, 30)).toBe(false);
    const over = new AbortController();
    const run = runProjector({ log, pool, projections, signal: over.signal });
    await isWhole();
    for (const lag of await projectionLag(pool)) {
      expect(lag).toMatchObject({ position: last, eventsBehind: 0, secondsBehind: 0 });
    }
    over.abort();
    await run;
  });
});
