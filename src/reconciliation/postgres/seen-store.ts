import type pg from 'pg';
import type { FedEvent, FedItem } from '../feed/contract.ts';
import type { PaymentSeen } from '../feed/payment-seen.ts';
import type { SeenStore } from '../feed/consume.ts';

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

async function park(pool: pg.Pool, parked: readonly (FedItem & { readonly event: FedEvent })[]): Promise<void> {
  await pool.query(
    `insert into reconciliation.parked_events (feed_position, event_id, type, version, body, signature)
     select p, i, t, v, b, s
     from unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[]) u (p, i, t, v, b, s)
     on conflict (event_id) do nothing`,
    [
      parked.map(({ position }) => position),
      parked.map(({ event }) => event.id),
      parked.map(({ event }) => event.type),
      parked.map(({ event }) => event.version),
      parked.map(({ body }) => body),
      parked.map(({ signature }) => signature),
    ],
  );
}
