import { setTimeout as sleep } from 'node:timers/promises';
import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import type pg from 'pg';
import type { EventLog } from '../../eventstore/index.ts';
import { carryOutEffects, type Spans } from './effects/carry-out.ts';
import type { Core } from './effects/core.ts';
import type { Finding } from './effects/finding.ts';
import { followFeed, takeUpParked } from './feed/consume.ts';
import type { FeedName, FeedSource } from './feed/contract.ts';
import { FeedLags } from './feed/feed-lags.ts';
import { type MatchingRules, runMatching } from './matching/index.ts';
import { alone } from './postgres/alone.ts';
import { caughtUpAt, noteCaughtUp } from './postgres/caught-up.ts';
import { dayToLookFrom, runCompleted, runToGoOnWith } from './postgres/current-run.ts';
import { postgresEffects } from './postgres/effect-store.ts';
import { PostgresMatchingStore } from './postgres/matching-store.ts';
import { postgresSeen } from './postgres/seen-store.ts';

export interface ReconcileOptions {
  /** Reconciliation's own database, migrated. */
  readonly pool: pg.Pool;
  /** Reconciliation's own log, in that database. */
  readonly log: EventLog;
  readonly source: FeedSource;
  readonly core: Core;
  readonly rules: MatchingRules;
  /** The newest first. */
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
  readonly now?: () => Date;
  /** Between two looks at what is new. Default 500 ms. */
  readonly pollMs?: number;
  /** Told of each payment that its proof has settled, once. */
  readonly onSettled?: (profile: string, delaySeconds: number) => void;
  /** Told of each finding that was carried out, or that the core refused. */
  readonly onFinding?: (finding: Finding) => void;
  /** Around what the core is had to do. Default: nobody traces. */
  readonly spans?: Spans;
  /** Where it is said how far behind this is. Default: nobody asks. */
  readonly lags?: FeedLags;
  readonly onError: (error: unknown, what: string) => void;
}

/**
 * Reconciles until the signal: takes the feeds in, looks at what is new or due, and has the core do what follows. Any number
 * of processes may; one works, the others wait. Killed anywhere it goes on where it was.
 */
export function reconcile(options: ReconcileOptions): Promise<void> {
  const { pool, signal, onError } = options;
  return alone(
    pool,
    signal,
    (leading) => work(options, leading),
    (error) => onError(error, 'reconciliation waits'),
  );
}

async function work(options: ReconcileOptions, signal: AbortSignal): Promise<void> {
  const { pool, source, secrets, pollMs = 500, lags = new FeedLags(), onSettled, onFinding, spans } = options;
  const { onError, now = () => new Date() } = options;
  const store = new PostgresMatchingStore(pool);
  const consuming = {
    source: paymentsFirst(source, lags, signal, now),
    store,
    seen: postgresSeen(pool),
    secrets,
    now,
    pollMs,
    ...(onSettled && { onSettled }),
    lags,
    onError: (error: unknown) => onError(error, 'a feed cannot be taken in'),
  };
  await store.useRules(options.rules);
  for (const feed of feeds) lags.begin(feed, await caughtUpAt(pool, feed));
  await takeUpParked(consuming);
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const following = feeds.map((feed) => followFeed(consuming, feed, until));
  const noting = noteLags(pool, lags, until);
  let isClockTold = false;
  const onClockBehind = (message: string): void => {
    if (!isClockTold) onError(new Error(message), 'the clock is behind');
    isClockTold = true;
  };
  const matching = repeat(
    until,
    pollMs,
    (error) => onError(error, 'nothing is matched'),
    () => matchOnce(options, store, onClockBehind),
  );
  const effects = postgresEffects(pool);
  const carrying = repeat(
    until,
    pollMs,
    (error) => onError(error, 'what was found is not carried out'),
    async () => {
      const how = { ...(onFinding && { onFinding }), ...(spans && { spans }) };
      return (await carryOutEffects(effects, options.core, how)) > 0;
    },
  );
  try {
    await Promise.all([...following, noting, matching, carrying]);
  } finally {
    over.abort();
    await Promise.allSettled([...following, noting, matching, carrying]);
    lags.end();
  }
}

const feeds = ['payments', 'statements'] as const satisfies readonly FeedName[];

/** Lines are taken in where payments are no further behind than this. */
const paymentsBehindMaxMs = 5_000;

/**
 * Lines wait for payments: who catches up with an hour of both would otherwise miss the payments of lines that came faster,
 * and open a case for each.
 */
function paymentsFirst(source: FeedSource, lags: FeedLags, signal: AbortSignal, now: () => Date): FeedSource {
  return {
    read: async (feed, after, limit) => {
      const areBehind = (): boolean =>
        now().getTime() - (lags.caughtUpAt('payments')?.getTime() ?? 0) > paymentsBehindMaxMs;
      while (feed === 'statements' && areBehind() && !signal.aborted)
        await sleep(100, undefined, { signal }).catch(() => undefined);
      return source.read(feed, after, limit);
    },
  };
}

/** So much of the time away is not known of after a crash. */
const noteEveryMs = 5_000;

async function noteLags(pool: pg.Pool, lags: FeedLags, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(noteEveryMs, undefined, { signal }).catch(() => undefined);
    for (const feed of feeds) {
      const at = lags.caughtUpAt(feed);
      // It is a figure: where the database is away, others say so.
      if (at !== undefined) await noteCaughtUp(pool, feed, at).catch(() => undefined);
    }
  }
}

async function matchOnce(
  { pool, log, rules, signal, now = () => new Date() }: ReconcileOptions,
  store: PostgresMatchingStore,
  onClockBehind: (message: string) => void,
): Promise<boolean> {
  const ofClock = now().toISOString().slice(0, 10);
  const today = await dayToLookFrom(pool, ofClock);
  if (today > ofClock)
    onClockBehind(`the clock says ${ofClock}, and it was looked from ${today} before: that day holds`);
  const runId = await runToGoOnWith(pool, today);
  if (runId === undefined) return false;
  const { state } = await runMatching({ runId, today, rules, store, log, now, signal });
  if (state !== 'COMPLETED') return false;
  await runCompleted(pool);
  return true;
}

/** Does it again and again: at once while there was something, otherwise after a pause; after a failure with back-off. */
async function repeat(
  signal: AbortSignal,
  pauseMs: number,
  onError: (error: unknown) => void,
  once: () => Promise<boolean>,
): Promise<void> {
  const policy = retry(handleAll, {
    maxAttempts: Number.MAX_SAFE_INTEGER,
    backoff: new ExponentialBackoff({ initialDelay: 200, maxDelay: 10_000 }),
  });
  policy.onFailure(({ reason }) => {
    if ('error' in reason && !signal.aborted) onError(reason.error);
  });
  while (!signal.aborted) {
    const more = await policy.execute(once, signal).catch((error: unknown) => {
      if (signal.aborted) return false;
      throw error;
    });
    if (!more) await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}
