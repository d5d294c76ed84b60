import type pg from 'pg';

/** A pool, or a connection inside of a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/**
 * Runs the work in one transaction: committed when it returns, rolled back when it throws.
 *
 * @param lasting what must survive a crash of the database: a secret that somebody was told. The rest of the module lets the
 *   log decide: what a crash takes is told again
 */
export async function inTransaction<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
  { lasting = false }: { readonly lasting?: boolean } = {},
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Cut off between two statements it emits this, and the pool does not listen to what is borrowed.
  const cutOff = (error: Error): void => void (broken ??= error);
  client.on('error', cutOff);
  try {
    await client.query(`begin; set local synchronous_commit = ${lasting ? 'on' : 'off'}`);
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
