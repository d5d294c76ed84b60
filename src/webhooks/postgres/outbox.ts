import type pg from 'pg';
import type { Position } from '../../../eventstore/index.ts';
import type { PublicEvent } from '../events/catalog.ts';
import { chooses } from '../event-choice.ts';
import { moveCheckpoint, RELAY } from './checkpoints.ts';
import { inTransaction, type Queryable } from './transaction.ts';

interface Listener {
  readonly id: string;
  readonly types: readonly string[];
  readonly fromPosition: Position;
}

/**
 * Writes what a stretch of the log means for every endpoint, and that it was written, in one transaction.
 *
 * @returns the deliveries that were made; undefined: another relay has been here, and nothing was written
 */
export function writeOutbox(
  pool: pg.Pool,
  events: readonly PublicEvent[],
  { from, to }: { readonly from: Position; readonly to: Position },
  now: Date,
): Promise<number | undefined> {
  return inTransaction(pool, async (client) => {
    // First, because it holds the row: an endpoint that is being added waits, or is seen by the next statement.
    if (!(await moveCheckpoint(client, RELAY, from, to))) return undefined;
    if (events.length === 0) return 0;
    const deliveries = deliveriesOf(events, await listenersOf(client));
    if (deliveries.length === 0) return 0;
    const chosen = new Set(deliveries.map(({ event }) => event));
    await insertEvents(client, [...chosen]);
    await insertDeliveries(client, deliveries, now);
    return deliveries.length;
  });
}

async function listenersOf(client: Queryable): Promise<Listener[]> {
  const { rows } = await client.query<{ id: string; types: string[]; from_position: string }>(
    'select id, types, from_position from webhooks.endpoints where removed_at is null',
  );
  return rows.map(({ id, types, from_position: position }) => ({ id, types, fromPosition: Number(position) }));
}

interface Delivery {
  readonly endpointId: string;
  readonly event: PublicEvent;
}

function deliveriesOf(events: readonly PublicEvent[], listeners: readonly Listener[]): Delivery[] {
  return events.flatMap((event) =>
    listeners
      .filter(({ types, fromPosition }) => event.position > fromPosition && chooses(types, event.envelope.type))
      .map(({ id }) => ({ endpointId: id, event })),
  );
}

async function insertEvents(client: Queryable, events: readonly PublicEvent[]): Promise<void> {
  await client.query({
    name: 'webhooks.insert-events',
    text: `insert into webhooks.events (position, id, type, stream, sequence, recorded_at, body)
      select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::text[])`,
    values: [
      events.map(({ position }) => position),
      events.map(({ envelope }) => envelope.id),
      events.map(({ envelope }) => envelope.type),
      events.map(({ envelope }) => envelope.subject),
      events.map(({ envelope }) => envelope.sequence),
      events.map(({ envelope }) => envelope.createdAt),
      events.map(({ body }) => body),
    ],
  });
}

async function insertDeliveries(client: Queryable, deliveries: readonly Delivery[], now: Date): Promise<void> {
  const values = [
    deliveries.map(({ event }) => event.position),
    deliveries.map(({ endpointId }) => endpointId),
    deliveries.map(({ event }) => event.envelope.subject),
  ];
  await client.query({
    name: 'webhooks.insert-deliveries',
    text: `insert into webhooks.deliveries (position, endpoint_id, stream)
      select * from unnest($1::bigint[], $2::text[], $3::text[])`,
    values,
  });
  // In their order: whoever records results holds lanes in the same one.
  await client.query({
    name: 'webhooks.open-lanes',
    text: `insert into webhooks.lanes as l (endpoint_id, stream, pending, due_at)
      select endpoint_id, stream, count(*), $3 from unnest($1::text[], $2::text[]) as d (endpoint_id, stream)
      group by endpoint_id, stream order by endpoint_id, stream
      on conflict (endpoint_id, stream) do update set pending = l.pending + excluded.pending`,
    values: [values[1], values[2], now],
  });
}
