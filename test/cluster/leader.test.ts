import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Leader } from '../../src/cluster/leader.ts';
import { moduleRoles } from '../../src/modules.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/** Proves that of several candidates one leads, that another one follows whatever became of it, and that it stops by itself. */
describe('a lease', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(asRole(database.poolConfig, moduleRoles.cluster.role));
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** A candidate, and whether it is at work. */
  function candidate(name: string, holder: string, options: { pool?: pg.Pool; termMs?: number } = {}) {
    const state = { working: false, terms: 0 };
    const work = async (signal: AbortSignal): Promise<void> => {
      state.working = true;
      state.terms += 1;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      state.working = false;
    };
    const leader = new Leader({ pool, termMs: 3_000, renewMs: 100, retryMs: 50, name, holder, work, ...options });
    return { state, leader };
  }

  const waitFor = (condition: () => boolean): Promise<void> =>
    vi.waitFor(() => expect(condition()).toBe(true), { timeout: 30_000, interval: 20 });

  /** A pool that says no from now on: the database of a process that is cut off. */
  function cuttable(): { pool: pg.Pool; cut: () => void } {
    let isCut = false;
    const ask = pool.query.bind(pool) as (...args: unknown[]) => unknown;
    const query = (...args: unknown[]): unknown => (isCut ? Promise.reject(new Error('cut off')) : ask(...args));
    return { pool: { query } as unknown as pg.Pool, cut: () => (isCut = true) };
  }

  it('is held by one, and given to the next one when it is given back', async () => {
    // Longer than the test: nobody takes it because it ended.
    const one = candidate('given', 'one', { termMs: 600_000 });
    await waitFor(() => one.state.working);
    const two = candidate('given', 'two', { termMs: 600_000 });
    await sleep(300);
    expect(two.state.terms).toBe(0);
    await one.leader.stop();
    expect(one.state.working).toBe(false);
    await waitFor(() => two.state.working);
    await two.leader.stop();
    expect((await pool.query('select from cluster.leases where name = $1', ['given'])).rowCount).toBe(0);
  });

  it('ends for a holder that cannot renew it, by its own clock, and goes to another', async () => {
    const line = cuttable();
    const one = candidate('cut', 'one', { pool: line.pool, termMs: 1_000 });
    await waitFor(() => one.state.working);
    const two = candidate('cut', 'two', { termMs: 1_000 });
    line.cut();
    await waitFor(() => !one.state.working);
    await waitFor(() => two.state.working);
    await one.leader.stop();
    await two.leader.stop();
  });

  it('ends at once for a holder that another one followed', async () => {
    const one = candidate('taken', 'one', { termMs: 600_000 });
    await waitFor(() => one.state.working);
    await pool.query(`update cluster.leases set holder = 'two' where name = 'taken'`);
    await waitFor(() => !one.state.working);
    await pool.query(`delete from cluster.leases where name = 'taken'`);
    await waitFor(() => one.state.working && one.state.terms === 2);
    await one.leader.stop();
  });

  it('is taken by one of many who ask at once, and work that fails is begun again', async () => {
    let failed = false;
    const work = (): Promise<void> => {
      if (failed) return new Promise((resolve) => setTimeout(resolve, 100));
      failed = true;
      return Promise.reject(new Error('at first'));
    };
    const onError = vi.fn();
    let elections = 0;
    const options = { pool, name: 'failing', work, renewMs: 50, retryMs: 50, onError };
    const leader = new Leader({ ...options, holder: 'one', onElected: () => (elections += 1) });
    await waitFor(() => elections >= 2);
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ message: 'at first' }));
    await leader.stop();

    const crowd = Array.from({ length: 8 }, (_, index) => candidate('crowd', `member ${index}`, { termMs: 600_000 }));
    await waitFor(() => crowd.some(({ state }) => state.working));
    await sleep(200);
    expect(crowd.filter(({ state }) => state.working)).toHaveLength(1);
    await Promise.all(crowd.map(({ leader: one }) => one.stop()));
  });
});
