import type pg from 'pg';
import type { EventLog } from '../../eventstore/index.ts';
import { addressPolicy } from './addresses.ts';
import { Bell } from './bell.ts';
import { pause, runDeliverer } from './deliverer.ts';
import type { Sealer } from './face.ts';
import { sweep } from './postgres/sweep.ts';
import type { Publisher } from './publisher/publisher.ts';
import { runPublisher } from './publisher/run-publisher.ts';
import { runRelay } from './relay.ts';
import { defaultSchedule, type RetrySchedule } from './retry-schedule.ts';
import { httpSender } from './send.ts';

export interface RunWebhooksOptions {
  readonly log: Pick<EventLog, 'subscribe' | 'lastPosition'>;
  /** Connections with the role of the module. */
  readonly pool: pg.Pool;
  readonly sealer: Sealer;
  /** Networks that may be called although they are private; loopback among them may be called without TLS. Default: none. */
  readonly allowedNetworks?: readonly string[];
  readonly publishers?: readonly Publisher[];
  readonly signal: AbortSignal;
  /** Told of what keeps it from going on; it tries again by itself. */
  readonly onError: (error: unknown, what: string) => void;
  readonly schedule?: RetrySchedule;
  /** A call must be answered within it. Default 10 s. */
  readonly timeoutMs?: number;
  /** How long a lane is claimed: after a kill, what was on its way is delivered again then. Default 30 s. */
  readonly leaseMs?: number;
  /** On the end, how long calls that are on their way are waited for. Default 3 s. */
  readonly graceMs?: number;
  /** Default 32: a receiver that answers in 30 ms is told a thousand events a second. */
  readonly lanesPerEndpoint?: number;
  /** Default 500 ms. */
  readonly pollMs?: number;
  /** How long what has ended is kept: as far back can be replayed. Default 7 days. */
  readonly keptMs?: number;
  readonly sweepMs?: number;
  readonly now?: () => Date;
  readonly random?: () => number;
}

const DAY_MS = 24 * 3_600_000;

/**
 * Tells others, until the signal: makes deliveries of the log, delivers them, publishes, and clears up. One process is
 * elected for it, which saves work and makes the bounds those of the house; two at once do no harm, because checkpoints are
 * fenced and lanes are claimed.
 */
export async function runWebhooks(options: RunWebhooksOptions): Promise<void> {
  const { log, pool, sealer, signal, onError, publishers = [] } = options;
  const { timeoutMs = 10_000, leaseMs = 30_000, now = () => new Date(), random = Math.random } = options;
  const bell = new Bell();
  const sender = httpSender(addressPolicy(options.allowedNetworks ?? []), timeoutMs);
  const told = (what: string) => (error: unknown) => onError(error, what);
  const runs = [
    runRelay({ log, pool, signal, now, onWritten: () => bell.ring(), onError: told('the relay waits') }),
    runDeliverer({
      pool,
      sealer,
      sender,
      signal,
      bell,
      schedule: options.schedule ?? defaultSchedule,
      now,
      random,
      timeoutMs,
      leaseMs,
      graceMs: options.graceMs ?? 3_000,
      lanesPerEndpoint: options.lanesPerEndpoint ?? 32,
      deliveriesPerLane: 20,
      pollMs: options.pollMs ?? 500,
      onError: told('deliveries wait'),
    }),
    ...publishers.map((publisher) =>
      runPublisher({ log, pool, publisher, signal, onError: told(`publisher ${publisher.name} waits`) }),
    ),
    sweepNowAndThen(options, now),
  ];
  try {
    await Promise.all(runs);
  } finally {
    sender.close();
  }
}

async function sweepNowAndThen(
  { pool, signal, onError, ...options }: RunWebhooksOptions,
  now: () => Date,
): Promise<void> {
  const { keptMs = 7 * DAY_MS, sweepMs = 60_000 } = options;
  while (!signal.aborted) {
    await pause(sweepMs, signal);
    try {
      await sweep(pool, new Date(now().getTime() - keptMs), signal);
    } catch (error) {
      onError(error, 'what has ended is not cleared up');
    }
  }
}
