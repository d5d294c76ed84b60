import type pg from 'pg';
import type { DoorState } from './app.ts';
import type { Readiness } from './parts.ts';

/** Asked by balancers every few seconds: the database is asked at most so often, however many ask. */
const REMEMBERED_MS = 500;

/** Ready: not ending, and the database answers in time. */
export function readinessOf(pool: pg.Pool, state: DoorState, probeMs: number): () => Promise<Readiness> {
  let probe: Promise<boolean> | undefined;
  let probedAtMs = 0;
  return async () => {
    if (state.draining) return { ready: false, checks: { process: 'draining' } };
    const now = performance.now();
    if (probe === undefined || now - probedAtMs > REMEMBERED_MS) {
      probedAtMs = now;
      probe = answers(pool, probeMs);
    }
    const database = await probe;
    return { ready: database, checks: { process: 'ok', database: database ? 'ok' : 'failed' } };
  };
}

async function answers(pool: pg.Pool, probeMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), probeMs);
  });
  const asked = pool.query('select 1').then(
    () => true,
    () => false,
  );
  const answered = await Promise.race([asked, tooLate]);
  clearTimeout(timer);
  return answered;
}
