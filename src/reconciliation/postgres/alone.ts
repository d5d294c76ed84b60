import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** (`kora` in ASCII, reconciliation) */
const lockKeys = [0x6b6f7261, 9];

/**
 * Does the work while no other process on this database does it: a session's lock, which ends with the connection. Whatever
 * is written is fenced by other means too; this saves work, and keeps effects in their order.
 */
export async function alone(
  pool: pg.Pool,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
  onError: (error: unknown) => void,
): Promise<void> {
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    try {
      await onceAlone(pool, signal, work);
    } catch (error) {
      if (!isOver()) onError(error);
    }
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
  }
}

async function onceAlone(
  pool: pg.Pool,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  const lost = new AbortController();
  const onLost = (): void => lost.abort();
  client.once('error', onLost);
  client.once('end', onLost);
  try {
    const { rows } = await client.query<{ won: boolean }>('select pg_try_advisory_lock($1, $2) as won', lockKeys);
    if (rows[0]?.won !== true) return;
    await work(AbortSignal.any([signal, lost.signal]));
    await client.query('select pg_advisory_unlock($1, $2)', lockKeys);
  } finally {
    client.off('error', onLost);
    client.off('end', onLost);
    client.release(lost.signal.aborted);
  }
}
