import type pg from 'pg';
import type { FedEvent } from '../feed/contract.ts';
import type { PaymentSeen } from '../feed/payment-seen.ts';
import type { ParkedItem, SeenStore } from '../feed/consume.ts';

/** What is known of payments, in reconciliation's own database. */
export function postgresSeen(pool: pg.Pool): SeenStore {
  return {
    seen: async (ids) => {
      const { rows } = await pool.query<{ seen: PaymentSeen }>({
        name: 'reconciliation.seen',
        text: 'select seen from reconciliation.payments_seen where payment_id = any($1::text[])',
        values: [ids],
      });
      return new Map(rows.map(({ seen }) => [seen.id, seen]));
    },
    save: async (seen, parked) => {
      if (seen.length > 0) await saveSeen(pool, seen);
      if (parked.length > 0) await park(pool, parked);
    },
    parkedAmong: async (subjects) => {
      const { rows } = await pool.query<{ subject: string }>({
        name: 'reconciliation.parked-among',
        text: 'select distinct subject from reconciliation.parked_events where subject = any($1::text[])',
        values: [subjects],
      });
      return new Set(rows.map(({ subject }) => subject));
    },
    parked: (after, limit) => readParked(pool, after, limit),
    unpark: async (eventIds) => {
      await pool.query('delete from reconciliation.parked_events where event_id = any($1::text[])', [eventIds]);
    },
  };
}

async function saveSeen(pool: pg.Pool, seen: readonly PaymentSeen[]): Promise<void> {
  await pool.query({
    name: 'reconciliation.save-seen',
    text: `insert into reconciliation.payments_seen as s (payment_id, sequence, seen)
      select one->>'id', (one->>'sequence')::bigint, one from jsonb_array_elements($1::jsonb) one
      on conflict (payment_id) do update set sequence = excluded.sequence, seen = excluded.seen
        where s.sequence < excluded.sequence`,
    values: [JSON.stringify(seen)],
  });
}

async function park(pool: pg.Pool, parked: readonly ParkedItem[]): Promise<void> {
  await pool.query(
    `insert into reconciliation.parked_events
       (feed_position, event_id, subject, sequence, type, version, body, signature)
     select p, i, o, q, t, v, b, s
     from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::int[], $7::text[], $8::text[])
       u (p, i, o, q, t, v, b, s)
     on conflict (event_id) do nothing`,
    [
      parked.map(({ position }) => position),
      parked.map(({ event }) => event.id),
      parked.map(({ event }) => event.subject),
      parked.map(({ event }) => event.sequence),
      parked.map(({ event }) => event.type),
      parked.map(({ event }) => event.version),
      parked.map(({ body }) => body),
      parked.map(({ signature }) => signature),
    ],
  );
}

async function readParked(pool: pg.Pool, after: number, limit: number): Promise<ParkedItem[]> {
  // All of one position: a page never ends within one.
  const { rows } = await pool.query<{ feed_position: string; body: string; signature: string }>(
    `select feed_position, body, signature from reconciliation.parked_events
     where feed_position > $1 and feed_position <= (
       select max(feed_position) from (select feed_position from reconciliation.parked_events
         where feed_position > $1 order by feed_position limit $2) p)
     order by feed_position, subject, sequence`,
    [after, limit],
  );
  // Signed when they came, which may be long ago: who parked them has checked it.
  return rows.map(({ feed_position, body, signature }) => ({
    position: Number(feed_position),
    body,
    signature,
    event: JSON.parse(body) as FedEvent,
  }));
}
