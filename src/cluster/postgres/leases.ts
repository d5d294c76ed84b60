import type pg from 'pg';

/**
 * Takes a lease that nobody holds, or holds one on. One statement, on the database's clock: the clocks of processes do not
 * matter, and none waits for another one's transaction.
 *
 * @returns whether the holder has it now
 */
export async function takeLease(pool: pg.Pool, name: string, holder: string, termMs: number): Promise<boolean> {
  // The clock is read again in the update: the statement may have waited for the row.
  const { rowCount } = await pool.query({
    name: 'cluster.take-lease',
    text: `insert into cluster.leases as l (name, holder, expires_at)
      values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
      on conflict (name) do update set holder = $2, expires_at = clock_timestamp() + $3 * interval '1 millisecond'
      where l.holder = $2 or l.expires_at <= clock_timestamp()`,
    values: [name, holder, termMs],
  });
  return rowCount === 1;
}

/** Gives a lease back, if the holder still has it: the next process need not wait for its end. */
export async function releaseLease(pool: pg.Pool, name: string, holder: string): Promise<void> {
  await pool.query('delete from cluster.leases where name = $1 and holder = $2', [name, holder]);
}
