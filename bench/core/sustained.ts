import pg from 'pg';
import type { Kora } from '../../src/composition.ts';
import { readCheckpoints } from '../../src/projections/postgres/checkpoints.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { measure, round } from '../harness/measure.ts';
import { P2pSource } from '../load/p2p.ts';
import { inFlight } from './accepted.ts';
import { checkLog } from './check-log.ts';
import { openWallets, pay, startProduct } from './kora.ts';

/** The bound: no projection may ever be further behind the log than this. */
const lagMaxMs = 5_000;
/** Offering stops while projections are further behind than this, and goes on when they are not. */
const holdAtMs = 2_000;
const lookEveryMs = 50;
/** A P2P payment: four facts of its own and an entry on either wallet. */
const eventsPerPayment = 6;

/**
 * `core.sustained`: as `core.accepted`, with all projections running in the same process. Offered is whatever the
 * projections follow. What counts is what was accepted in the time or what was projected in it, whichever is less: a lag
 * that grows is no throughput.
 */
export async function run(context: CaseContext): Promise<Measured> {
  const kora = await startProduct(context, ['doors', 'scheduler']);
  await openWallets(kora.runtime);
  await kora.projected();
  await context.checkpoint();

  const source = new P2pSource();
  const lag = new Lag(kora);
  let [projectedFrom, projectedTo] = [0, 0];
  const result = await measure(context, {
    inFlight,
    send: () => pay(kora.runtime, source.next()),
    held: () => lag.ms > holdAtMs,
    onEdge: (edge) => {
      if (edge === 'begin') projectedFrom = lag.projected;
      else projectedTo = lag.projected;
    },
  });
  const catchUpMs = await lag.stop();
  await mustBeProjected(context, result.answered);
  await kora.close();
  await checkLog(context, result.answered);

  mustHold(lag.maxMs <= lagMaxMs, `a projection was ${round(lag.maxMs, 0)} ms behind`);
  const projectedPerSecond = (projectedTo - projectedFrom) / eventsPerPayment / result.seconds;
  return {
    figures: [{ name: 'core.sustained', value: Math.min(result.perSecond, projectedPerSecond), unit: 'payments/s' }],
    notes: {
      ...result.notes,
      acceptedPerSecond: round(result.perSecond, 0),
      projectedPerSecond: round(projectedPerSecond, 0),
      lagMaxMs: round(lag.maxMs, 0),
      catchUpMs: round(catchUpMs, 0),
    },
  };
}

/** How long the oldest event that a projection lacks has been durable, looked at many times a second. */
class Lag {
  readonly #kora: Kora;
  /** Where the log ended, and when: the oldest that is not wholly projected first. */
  readonly #ends: { readonly position: number; readonly at: number }[] = [];
  readonly #looking: Promise<void>;
  #stopped = false;
  /** Position up to which every projection is. */
  projected = 0;
  ms = 0;
  maxMs = 0;

  constructor(kora: Kora) {
    this.#kora = kora;
    this.#looking = this.#keepLooking();
  }

  /** Resolves when the projections have everything; with the milliseconds that it took them. */
  async stop(): Promise<number> {
    const startedAt = performance.now();
    await this.#kora.projected();
    this.#stopped = true;
    await this.#looking;
    return performance.now() - startedAt;
  }

  async #keepLooking(): Promise<void> {
    while (!this.#stopped) {
      const { log, pool } = this.#kora;
      const [end, checkpoints] = await Promise.all([log.lastPosition(), readCheckpoints(pool)]);
      const now = performance.now();
      this.projected = Math.min(...checkpoints.map(({ position }) => position));
      if (end > (this.#ends.at(-1)?.position ?? 0)) this.#ends.push({ position: end, at: now });
      while ((this.#ends[0]?.position ?? Infinity) <= this.projected) this.#ends.shift();
      this.ms = now - (this.#ends[0]?.at ?? now);
      this.maxMs = Math.max(this.maxMs, this.ms);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }
}

async function mustBeProjected({ database }: CaseContext, payments: number): Promise<void> {
  const client = new pg.Client(database);
  await client.connect();
  try {
    const { rows } = await client.query<{ payments: string }>(
      `select count(*) as payments from projections.payments where kind = 'P2P' and status = 'SETTLED'`,
    );
    mustHold(rows[0]?.payments === String(payments), `${payments} payments, ${rows[0]?.payments ?? 0} are projected`);
  } finally {
    await client.end();
  }
}
