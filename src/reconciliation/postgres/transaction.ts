import type pg from 'pg';

/** Of transaction-level advisory locks: (`kora` in ASCII, of reconciliation). */
const locks = { feeding: [0x6b6f7261, 41], matching: [0x6b6f7261, 42], carrying: [0x6b6f7261, 43] } as const;

/**
 * One feeds at a time, and one matches. Both at once is right as long as feeding only adds: what a batch has not seen is
 * still to be looked at. Who feeds changes of what is there takes the second lock as well, before it writes them.
 */
export async function lock(client: pg.PoolClient, what: keyof typeof locks): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1, $2)', [...locks[what]]);
}

/** For who changes what is there already. What was read ahead of it has to be read again. */
export async function lockToAmend(client: pg.PoolClient): Promise<void> {
  await lock(client, 'matching');
  await client.query('update reconciliation.amendments set number = number + 1');
}

/** Runs the work in one transaction, with the lock that it begins with. Committed when it returns, rolled back when it throws. */
export function inTransaction<Result>(
  pool: pg.Pool,
  first: keyof typeof locks,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  return within(pool, async (client) => {
    await lock(client, first);
    return work(client);
  });
}

/** Runs reads that see what is committed at the moment of each. */
export function inReading<Result>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  return within(pool, work);
}

async function within<Result>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Cut off between two statements it emits this, and the pool does not listen to what is borrowed.
  const cutOff = (error: Error): void => void (broken ??= error);
  client.on('error', cutOff);
  try {
    // Everything here is looked up by an index, and tables that have just been filled have no statistics yet.
    await client.query(`begin; set local enable_seqscan = off; set local enable_hashjoin = off;
      set local enable_mergejoin = off; set local jit = off`);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((rollback: unknown) => {
      broken ??= rollback instanceof Error ? rollback : new Error(String(rollback));
    });
    throw error;
  } finally {
    if (broken === undefined) client.off('error', cutOff);
    client.release(broken);
  }
}
