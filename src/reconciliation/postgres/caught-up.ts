import type pg from 'pg';

/** When everything of the feed was last known to be in; of a feed that nobody has looked at, now. */
export async function caughtUpAt(pool: pg.Pool, feed: string): Promise<Date> {
  await pool.query('insert into reconciliation.cursors (feed, position) values ($1, 0) on conflict do nothing', [feed]);
  const { rows } = await pool.query<{ caught_up_at: Date }>(
    'select caught_up_at from reconciliation.cursors where feed = $1',
    [feed],
  );
  return rows[0]?.caught_up_at ?? new Date();
}

export async function noteCaughtUp(pool: pg.Pool, feed: string, at: Date): Promise<void> {
  await pool.query(
    'update reconciliation.cursors set caught_up_at = greatest(caught_up_at, $2::timestamptz) where feed = $1',
    [feed, at],
  );
}
