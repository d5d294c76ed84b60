import type pg from 'pg';

/**
 * No transaction of ours is at work for longer than moments. Were one held up, other processes would look for its
 * revocations (`Revocations`) where they have looked already.
 */
const BEGIN = `BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '10s';
  SET LOCAL idle_in_transaction_session_timeout = '10s'`;

/** Runs the work in one transaction: committed when it returns, rolled back when it throws. */
export async function inTransaction<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Cut off between two statements it emits this, and the pool listens only to those that nobody has borrowed: without a
  // listener it would end the process.
  const cutOff = (error: Error): void => void (broken ??= error);
  client.on('error', cutOff);
  try {
    await client.query(BEGIN);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollback: unknown) => {
      broken ??= rollback instanceof Error ? rollback : new Error(String(rollback));
    });
    throw error;
  } finally {
    // A connection that cannot even roll back is not given to anybody else.
    if (broken === undefined) client.off('error', cutOff);
    client.release(broken);
  }
}

/** The SQLSTATE of an error of Postgres; undefined for every other error. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
