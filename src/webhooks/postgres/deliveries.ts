import type pg from 'pg';
import { keyAfter, type Page, type PageOf, pageOf } from '../../kernel/page.ts';
import { chooses } from '../event-choice.ts';
import { eventTypes } from '../events/catalog.ts';
import type { DeliveryStatus, DeliveryView, ReplayFilter } from '../face.ts';
import { inTransaction, type Queryable } from './transaction.ts';

interface DeliveryRow {
  readonly position: string;
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly sequence: string;
  readonly recorded_at: Date;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly last_at: Date | null;
  readonly last_error: string | null;
}

/** A page of an endpoint's deliveries, the newest events first. */
export async function deliveriesPage(
  db: Queryable,
  endpointId: string,
  { status }: { readonly status?: DeliveryStatus },
  page: Page,
): Promise<PageOf<DeliveryView>> {
  const list = { list: 'deliveries', endpointId, status };
  const [before] = keyAfter(list, page, [/^[0-9]{1,16}$/]) ?? [];
  // Of those that are left there is an index, which knows them by this condition.
  const left = status === 'pending' || status === 'dead' ? `and status in ('pending', 'dead')` : '';
  const { rows } = await db.query<DeliveryRow>(
    `select d.position, e.id, e.type, e.stream, e.sequence, e.recorded_at, d.status, d.attempts, d.last_at, d.last_error
     from webhooks.deliveries d join webhooks.events e using (position)
     where d.endpoint_id = $1 and d.status = coalesce($2, d.status) ${left} and d.position < coalesce($3, 9007199254740991)
     order by d.position desc limit $4`,
    [endpointId, status, before, page.limit + 1],
  );
  const { items, next } = pageOf(list, page, rows, ({ position }) => [position]);
  return { items: items.map(viewOf), ...(next !== undefined && { next }) };
}

function viewOf(row: DeliveryRow): DeliveryView {
  return {
    eventId: row.id,
    type: row.type,
    subject: row.stream,
    sequence: Number(row.sequence),
    recordedAt: row.recorded_at.toISOString(),
    status: row.status,
    attempts: row.attempts,
    ...(row.last_at !== null && { lastTriedAt: row.last_at.toISOString() }),
    ...(row.last_error !== null && { lastError: row.last_error }),
  };
}

/** In one transaction, so that nobody waits long for a lane. */
const REPLAY_BATCH = 1_000;

/** Makes what has ended pending again, from the oldest on. Interrupted, it has done a part, and does the rest when run again. */
export async function replayDeliveries(
  pool: pg.Pool,
  endpointId: string,
  filter: ReplayFilter,
  now: Date,
): Promise<number> {
  const status = filter.status ?? (filter.eventId === undefined ? 'dead' : undefined);
  const types = filter.types && eventTypes.filter((type) => chooses(filter.types ?? [], type));
  let replayed = 0;
  for (let after: string | undefined = '0'; after !== undefined;) {
    const from: string = after;
    const found = await inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ position: string; stream: string }>(
        `select d.position, d.stream from webhooks.deliveries d join webhooks.events e using (position)
         where d.endpoint_id = $1 and d.position > $2 and d.status <> 'pending' and d.status = coalesce($3, d.status)
           and e.id = coalesce($4, e.id) and ($5::text[] is null or e.type = any ($5))
           and e.recorded_at >= coalesce($6, '-infinity'::timestamptz)
           and e.recorded_at < coalesce($7, 'infinity'::timestamptz)
         order by d.position limit $8`,
        [endpointId, from, status, filter.eventId, types, filter.from, filter.to, REPLAY_BATCH],
      );
      await reopenLanes(client, endpointId, rows, now, 'pending');
      return rows;
    });
    replayed += found.length;
    after = found.length === REPLAY_BATCH ? found.at(-1)?.position : undefined;
  }
  return replayed;
}

/**
 * Gives up a dead delivery.
 *
 * @returns false: there is no such one, or it is not dead
 */
export async function skipDelivery(pool: pg.Pool, endpointId: string, eventId: string, now: Date): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ position: string; stream: string }>(
      `select d.position, d.stream from webhooks.events e join webhooks.deliveries d using (position)
       where e.id = $2 and d.endpoint_id = $1 and d.status = 'dead'`,
      [endpointId, eventId],
    );
    await reopenLanes(client, endpointId, rows, now, 'skipped');
    return rows.length > 0;
  });
}

/** Changes deliveries that have ended, and lets their lanes go on where nothing dead is left on them. */
async function reopenLanes(
  client: Queryable,
  endpointId: string,
  ended: readonly { readonly position: string; readonly stream: string }[],
  now: Date,
  status: 'pending' | 'skipped',
): Promise<void> {
  if (ended.length === 0) return;
  const streams = [...new Set(ended.map(({ stream }) => stream))].sort();
  // Held first, and in the order in which everybody holds them.
  await client.query(
    `insert into webhooks.lanes as l (endpoint_id, stream, pending, due_at)
     select $1, stream, 0, $3 from unnest($2::text[]) as s (stream) order by stream
     on conflict (endpoint_id, stream) do update set due_at = least(l.due_at, excluded.due_at)`,
    [endpointId, streams, now],
  );
  await client.query(
    `with changed as (
       update webhooks.deliveries set status = $3, attempts = 0, first_at = null, last_error = null,
         last_at = case when $3 = 'skipped' then $4::timestamptz end
       where endpoint_id = $1 and position = any ($2::bigint[]) and status <> 'pending' returning stream
     ), counted as (select stream, count(*) as n from changed group by stream)
     update webhooks.lanes l set pending = l.pending + counted.n from counted
     where $3 = 'pending' and l.endpoint_id = $1 and l.stream = counted.stream`,
    [endpointId, ended.map(({ position }) => position), status, now],
  );
  await client.query(
    `update webhooks.lanes l set blocked = exists (
       select from webhooks.deliveries d
       where d.endpoint_id = l.endpoint_id and d.stream = l.stream and d.status = 'dead')
     where l.endpoint_id = $1 and l.stream = any ($2)`,
    [endpointId, streams],
  );
  await client.query(
    'delete from webhooks.lanes where endpoint_id = $1 and stream = any ($2) and pending = 0 and not blocked',
    [endpointId, streams],
  );
}
