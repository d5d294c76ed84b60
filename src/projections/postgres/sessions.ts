import type pg from 'pg';

/** A lost connection is told to whoever queries it; without a listener it would end the process while nobody does. */
const ignore = (): void => undefined;

/** Lends a connection for one transaction; a connection on which something failed is not used again. */
export async function withConnection<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  client.on('error', ignore);
  try {
    const result = await work(client);
    client.off('error', ignore);
    client.release();
    return result;
  } catch (error) {
    await end(client);
    throw error;
  }
}

/**
 * Lends a connection and ends it afterwards: what the session still has (transaction, locks, snapshot, temporary tables)
 * is gone when this resolves.
 */
export async function withSession<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  client.on('error', ignore);
  try {
    return await work(client);
  } finally {
    await client.query('rollback; select pg_advisory_unlock_all()').catch(ignore);
    await end(client);
  }
}

/** Ends a connection rather than give it back, and waits until it is closed: nothing comes from it any more. */
function end(client: pg.PoolClient): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1_000);
    client.once('end', () => {
      clearTimeout(timer);
      resolve();
    });
    client.release(true);
  });
}
