import pg from 'pg';
import { type CaseContext, type Measured, mustHold } from '../../harness/case.ts';
import { measure } from '../../harness/measure.ts';
import { currency, P2pSource } from '../../load/p2p.ts';

const connections = 20;
const steps = ['PaymentInitiated', 'PaymentAuthorized', 'PaymentCaptured', 'PaymentSettled'] as const;

/** What is used of the library: its own types need it installed, and it is installed for the bench only. */
interface EventStore {
  readonly schema: { migrate(): Promise<unknown> };
  appendToStream(
    stream: string,
    events: readonly { readonly type: string; readonly data: object }[],
    options: { readonly expectedStreamVersion: bigint | 'STREAM_DOES_NOT_EXIST' },
  ): Promise<{ readonly nextExpectedStreamVersion: bigint }>;
  close(): Promise<void>;
}
interface Emmett {
  readonly getPostgreSQLEventStore: (connectionString: string, options: object) => EventStore;
}
const packageName: string = '@event-driven-io/emmett-postgresql';

/**
 * `peer.emmett`: one append per transition through a popular event store library, each at its expected version. Only the
 * payment's own stream: no balances, no check of funds.
 */
export async function run(context: CaseContext): Promise<Measured> {
  // It queues queries on one client, which pg will not take for ever; nothing that a reader of our report can do.
  process.noDeprecation = true;
  const { getPostgreSQLEventStore } = (await import(packageName)) as Emmett;
  const pool = new pg.Pool({ ...context.database, max: connections });
  const store = getPostgreSQLEventStore(context.databaseUrl, { connectionOptions: { pool } });
  await store.schema.migrate();
  await context.checkpoint();

  const source = new P2pSource();
  const send = async (): Promise<void> => {
    const { payer, payee, amount, key } = source.next();
    const stream = `payment-${key}`;
    let version: bigint | undefined;
    for (const type of steps) {
      const data = type === 'PaymentInitiated' ? { payer, payee, amount, currency, key } : { amount };
      const options = { expectedStreamVersion: version ?? ('STREAM_DOES_NOT_EXIST' as const) };
      ({ nextExpectedStreamVersion: version } = await store.appendToStream(stream, [{ type, data }], options));
    }
    mustHold(version === BigInt(steps.length), `a payment ended at version ${String(version)}`);
  };
  const result = await measure(context, { inFlight: connections, send });
  const { rows } = await pool.query<Record<'events' | 'streams', string>>(
    'select count(*)::text as events, count(distinct stream_id)::text as streams from emt_messages',
  );
  mustHold(
    rows[0]?.streams === String(result.answered),
    `${result.answered} payments, ${rows[0]?.streams ?? 0} streams`,
  );
  mustHold(rows[0].events === String(result.answered * steps.length), `${rows[0].events} events`);
  await store.close();
  if (!pool.ended) await pool.end();
  return {
    figures: [{ name: 'peer.emmett', value: result.perSecond, unit: 'payments/s' }],
    notes: result.notes,
  };
}
