/**
 * Receives webhooks, and does what they ask for once: the total that each payee was paid is the same however often an event
 * is delivered.
 *
 *   npx kora serve                                       with KORA_WEBHOOKS_NETWORKS=127.0.0.0/8, for this machine only
 *   npx kora webhooks add http://127.0.0.1:7480/ --types 'payment.*'      says the secret
 *   KORA_WEBHOOK_SECRETS=whsec_… DATABASE_URL=postgresql://… npx node examples/webhook-consumer.ts
 *
 * Three rules make it right, whatever comes twice, late or never answered:
 * - the signature is checked over the bytes as they came, before anything is read of them;
 * - the event's id is remembered in the transaction of what it does: `processed_event`;
 * - 2xx is said when that is committed. Everything else means "again".
 */
import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { verifyWebhook, type WebhookEvent } from '../sdk/index.ts';

const tables = `
  create table if not exists processed_event (event_id text primary key, processed_at timestamptz not null default now());
  create table if not exists payment (id text primary key, payee text, status text not null, sequence bigint not null);
  create table if not exists paid (payee text primary key, total numeric not null);`;

export interface ConsumerOptions {
  readonly pool: pg.Pool;
  /** Of the webhook; two while it is rotated. */
  readonly secrets: readonly string[];
}

/** A server that takes deliveries. Whoever makes it says where it listens. */
export async function createConsumer({ pool, secrets }: ConsumerOptions): Promise<Server> {
  await pool.query(tables);
  return createServer((request, response) => {
    const answer = async (): Promise<number> => {
      const verdict = await verifyWebhook(await buffer(request), header(request.headers['kora-signature']), secrets);
      // Not Kora's. Kora tries again, should it be that we have the wrong secret.
      if (!verdict.ok) return 401;
      await take(pool, verdict.event);
      return 204;
    };
    answer().then(
      (status) => response.writeHead(status).end(),
      (error: unknown) => {
        console.error(error);
        response.writeHead(500).end();
      },
    );
  });
}

/** All of it or nothing, once. */
async function take(pool: pg.Pool, event: WebhookEvent): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    // Two deliveries of one event at once: the second waits here for the first one's commit, and then finds it.
    const { rowCount } = await client.query(
      'insert into processed_event (event_id) values ($1) on conflict (event_id) do nothing',
      [event.id],
    );
    if (rowCount === 1) await apply(client, event);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

interface PaymentData {
  readonly paymentId: string;
  readonly status?: string;
  readonly amount?: string;
  readonly payee?: string;
}

async function apply(client: pg.PoolClient, { type, sequence, data }: WebhookEvent): Promise<void> {
  // What we do not know is none of our business, and taken all the same: it would come again for three days.
  if (!type.startsWith('payment.')) return;
  const { paymentId, status, amount, payee } = data as unknown as PaymentData;
  // A replay brings old events after new ones: what is older than what is known says nothing of how it is now.
  if (status !== undefined) {
    await client.query(
      `insert into payment as p (id, payee, status, sequence) values ($1, $2, $3, $4)
       on conflict (id) do update set payee = coalesce(p.payee, excluded.payee),
         status = case when excluded.sequence > p.sequence then excluded.status else p.status end,
         sequence = greatest(p.sequence, excluded.sequence)`,
      [paymentId, payee, status, sequence],
    );
  }
  if (type !== 'payment.captured') return;
  await client.query(
    `insert into paid as t (payee, total) select payee, $2 from payment where id = $1 and payee is not null
     on conflict (payee) do update set total = t.total + excluded.total`,
    [paymentId, amount],
  );
}

function header(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { env } = process;
  const pool = new pg.Pool({ connectionString: env['DATABASE_URL'] });
  const server = await createConsumer({ pool, secrets: (env['KORA_WEBHOOK_SECRETS'] ?? '').split(',') });
  server.listen(Number(env['PORT'] ?? 7480), '127.0.0.1', () => console.log('takes deliveries on', server.address()));
}
