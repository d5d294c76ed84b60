import type pg from 'pg';

/** In one statement: a sweep holds nobody up. */
const BATCH = 2_000;

/**
 * Takes away what has ended long ago, and what was made for endpoints that are gone. Dead deliveries stay until somebody
 * has replayed or skipped them.
 *
 * @param before what ended earlier
 * @param signal ends it between two statements; the next sweep goes on
 */
export async function sweep(pool: pg.Pool, before: Date, signal: AbortSignal): Promise<void> {
  const untilEmpty = async (text: string, values: unknown[]): Promise<void> => {
    while (!signal.aborted) {
      const { rowCount } = await pool.query(text, [...values, BATCH]);
      if ((rowCount ?? 0) < BATCH) return;
    }
  };
  const gone = 'endpoint_id in (select id from webhooks.endpoints where removed_at is not null)';
  for (const table of ['lanes', 'deliveries']) {
    await untilEmpty(
      `delete from webhooks.${table} where ctid = any (array(select ctid from webhooks.${table} where ${gone} limit $1))`,
      [],
    );
  }
  await untilEmpty(
    `delete from webhooks.deliveries where ctid = any (array(
       select ctid from webhooks.deliveries where status in ('delivered', 'skipped') and last_at < $1 limit $2))`,
    [before],
  );
  await untilEmpty(
    `delete from webhooks.events where position = any (array(
       select position from webhooks.events e
       where recorded_at < $1 and not exists (select from webhooks.deliveries d where d.position = e.position)
       order by position limit $2))`,
    [before],
  );
  // One that was being relayed to when it was removed is taken by the next sweep.
  await pool.query(
    `delete from webhooks.endpoints e where removed_at < $1
       and not exists (select from webhooks.deliveries d where d.endpoint_id = e.id)`,
    [before],
  );
}
