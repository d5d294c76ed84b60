import pg from 'pg';
import type { Kora } from '../../src/composition.ts';
import { inFlight } from '../core/accepted.ts';
import { makePayments, openWallets, pay, startProduct } from '../core/kora.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { measure, round } from '../harness/measure.ts';
import { P2pSource } from '../load/p2p.ts';
import { median } from '../load/percentiles.ts';
import { startTimes } from './serve.ts';

/** A P2P payment: four facts of its own and an entry on either wallet. */
const eventsPerPayment = 6;
const starts = 5;

/**
 * `growth.<size>`: payments a second as `core.accepted` makes them, on a log that holds so many events already, and
 * `.start`: milliseconds from the spawn of `kora serve` to its word that it is ready, and `.start.processor`: those of
 * them that it computed. The log is filled through the
 * product itself, in process, with the projections following, so that it is as old logs are: chained, indexed, folded.
 */
export async function measureGrown(context: CaseContext, name: string, events: number): Promise<Measured> {
  const source = new P2pSource();
  const filledAt = performance.now();
  await withProduct(context, ['doors', 'scheduler'], async (kora) => {
    await openWallets(kora.runtime);
    const missing = events - (await kora.log.lastPosition());
    await makePayments(kora.runtime, source, Math.max(0, Math.ceil(missing / eventsPerPayment)));
    await kora.projected();
    mustHold((await kora.log.lastPosition()) >= events, `the log does not hold ${events} events`);
  });
  const fillSeconds = (performance.now() - filledAt) / 1_000;
  await settle(context);

  const times = await startTimes(context.databaseUrl, starts);

  await context.checkpoint();
  const result = await withProduct(context, ['doors', 'projector', 'scheduler'], (kora) =>
    measure(context, { inFlight, send: () => pay(kora.runtime, source.next()) }),
  );
  return {
    figures: [
      { name, value: result.perSecond, unit: 'payments/s' },
      { name: `${name}.start`, value: median(times.map(({ ms }) => ms)), unit: 'ms' },
      { name: `${name}.start.processor`, value: median(times.map((time) => time.processorMs)), unit: 'ms' },
    ],
    notes: {
      ...result.notes,
      fillSeconds: round(fillSeconds, 0),
      startMsMax: round(Math.max(...times.map(({ ms }) => ms)), 0),
    },
  };
}

/**
 * An old log was looked after as it grew; one that was filled in minutes has autovacuum still to come, a quarter of a
 * minute later and in the middle of what is measured. So it is done now.
 */
async function settle(context: CaseContext): Promise<void> {
  const client = new pg.Client(context.database);
  await client.connect();
  await client.query('vacuum (analyze)');
  await client.end();
  await context.checkpoint();
}

async function withProduct<T>(
  context: CaseContext,
  without: Parameters<typeof startProduct>[1],
  work: (kora: Kora) => Promise<T>,
): Promise<T> {
  const kora = await startProduct(context, without);
  try {
    return await work(kora);
  } finally {
    await kora.close();
  }
}
