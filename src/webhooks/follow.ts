import { setTimeout as sleep } from 'node:timers/promises';
import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import type { EventLog, Position, RecordedUnit } from '../../eventstore/index.ts';
import { batchesOf } from './batches.ts';
import { publicEvents } from './events/public-events.ts';
import type { PublicEvent } from './events/catalog.ts';

/** A stretch of the log. */
export interface Stretch {
  readonly from: Position;
  readonly to: Position;
}

export interface FollowOptions {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly signal: AbortSignal;
  /** Where to begin. Asked at the beginning, and again whenever something went wrong; undefined: not now. */
  readonly begin: () => Promise<Position | undefined>;
  /**
   * Takes the events of a stretch and notes that they are taken.
   *
   * @returns false: somebody else has; this one begins again from where that one came to
   */
  readonly take: (events: readonly PublicEvent[], stretch: Stretch) => Promise<boolean>;
  readonly unitsMax: number;
  readonly lingerMs: number;
  /** How often to ask where to begin, while it is not now, or somebody else is at it. */
  readonly pauseMs: number;
  /** Told of each failure; it is tried again with back-off, from the last stretch that was taken. */
  readonly onError: (error: unknown) => void;
}

/** Follows the log and has what others are told of it taken, in order, each stretch at least once. Ends with the signal. */
export async function followLog(options: FollowOptions): Promise<void> {
  const { signal, pauseMs, onError } = options;
  const policy = retry(handleAll, {
    maxAttempts: Number.MAX_SAFE_INTEGER,
    backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 5_000 }),
  });
  policy.onFailure(({ reason }) => {
    if ('error' in reason && !signal.aborted) onError(reason.error);
  });
  try {
    while (!isAborted(signal)) {
      await policy.execute(() => once(options), signal);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  } catch (error) {
    if (!isAborted(signal)) throw error;
  }
}

const isAborted = (signal: AbortSignal): boolean => signal.aborted;

/** Follows until the signal, a failure, or somebody else. */
async function once({ log, signal, begin, take, unitsMax, lingerMs }: FollowOptions): Promise<void> {
  const first = await begin();
  if (first === undefined) return;
  let from: Position = first;
  const over = new AbortController();
  const units = log.subscribe(from, AbortSignal.any([signal, over.signal]));
  try {
    for await (const batch of batchesOf<RecordedUnit>(units, { max: unitsMax, lingerMs })) {
      if (signal.aborted) return;
      const to: Position = batch.at(-1)?.lastPosition ?? from;
      if (!(await take(batch.flatMap(publicEvents), { from, to }))) return;
      from = to;
    }
  } finally {
    over.abort();
  }
}
