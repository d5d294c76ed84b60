import type pg from 'pg';

/** Session-independent advisory lock: (`kora` in ASCII, reconciliation). */
const lockKeys = [0x6b6f7261, 41];

/**
 * Runs the work in one transaction, alone: whoever else would write waits. Committed when it returns, rolled back when it
 * throws.
 */
export async function inTransaction<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Cut off between two statements it emits this, and the pool does not listen to what is borrowed.
  const cutOff = (error: Error): void => void (broken ??= error);
  client.on('error', cutOff);
  try {
    // Everything here is looked up by an index, and tables that have just been filled have no statistics yet.
    await client.query(`begin; set local enable_seqscan = off; set local enable_hashjoin = off;
      set local enable_mergejoin = off; set local jit = off`);
    await client.query('select pg_advisory_xact_lock($1, $2)', lockKeys);
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
