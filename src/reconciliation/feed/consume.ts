import { setTimeout as sleep } from 'node:timers/promises';
import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import type { Expectation } from '../matching/sides.ts';
import type { MatchingStore } from '../matching/store.ts';
import type { FeedLags } from './feed-lags.ts';
import { type FedEvent, type FedItem, type FeedName, FeedRefusedError, type FeedSource, readItem } from './contract.ts';
import { type PaymentSeen, seenAfter, standingOf } from './payment-seen.ts';
import { expectationOf, lineOf } from './sides-of.ts';

/** What is remembered of payments, and of what could not be understood. */
export interface SeenStore {
  seen(ids: readonly string[]): Promise<ReadonlyMap<string, PaymentSeen>>;
  /** Those of which something is parked: what comes later of them is parked too, so that nothing is understood out of order. */
  parkedAmong(subjects: readonly string[]): Promise<ReadonlySet<string>>;
  /** Writes what is newer. What is parked waits for a version that understands it. */
  save(seen: readonly PaymentSeen[], parked: readonly ParkedItem[]): Promise<void>;
  /** What is parked, in the order of the feed, from a position on. */
  parked(after: number, limit: number): Promise<readonly ParkedItem[]>;
  unpark(eventIds: readonly string[]): Promise<void>;
}

export interface ParkedItem extends FedItem {
  readonly event: FedEvent;
}

export interface ConsumeOptions {
  readonly source: FeedSource;
  readonly store: Pick<MatchingStore, 'put' | 'cursorOf'>;
  readonly seen: SeenStore;
  /** The newest first; while one is rotated, both. */
  readonly secrets: readonly string[];
  readonly now?: () => Date;
  /** Events in one page. Default 1,000. */
  readonly pageMax?: number;
  /** Told of each payment that its proof has settled, once: how long after it could first be on a statement. */
  readonly onSettled?: (profile: string, delaySeconds: number) => void;
  /** Told before and after each page how far behind the feed this is. Default: nobody asks. */
  readonly lags?: Pick<FeedLags, 'seen'>;
}

/**
 * Takes one page of a feed, if there is one: each event once, whatever breaks off in the middle. What payments are known to
 * be is written first, and is not changed by an event that is in it; then what follows from it, with the place in the feed.
 *
 * @returns whether there may be more
 * @throws FeedRefusedError where something is not as the contract says: nothing of the page is taken
 */
export async function consumePage(options: ConsumeOptions, feed: FeedName): Promise<boolean> {
  const { source, store, seen, secrets, now = () => new Date(), pageMax = 1_000, lags } = options;
  const from = await store.cursorOf(feed);
  const askedAt = now();
  const page = await source.read(feed, from, pageMax);
  if (page.next < from || page.items.some(({ position }) => position <= from || position > page.next))
    throw new FeedRefusedError(
      'OutOfOrder',
      `the feed ${feed} was asked from ${from} on, and answers with something else`,
    );
  lags?.seen(feed, Math.max(0, page.last - from), askedAt);
  const at = now();
  const read = page.items.map((item) => ({ ...item, event: readItem(item, secrets, at) }));
  const waiting = new Set(read.length === 0 ? [] : await seen.parkedAmong(read.map(({ event }) => event.subject)));
  const parked: ParkedItem[] = [];
  const taken: ParkedItem[] = [];
  for (const item of read) {
    const { subject } = item.event;
    const standing = standingOf(item.event);
    if (standing === 'passed over') continue;
    if (standing === 'unknown version') waiting.add(subject);
    (waiting.has(subject) ? parked : taken).push(item);
  }
  const lines = taken.filter(({ event }) => event.type === 'statement.line').map(({ event }) => lineOf(event));
  const expectations = await expectationsOf(taken, options, parked);
  const written = await store.put({ lines, expectations, cursor: { feed, from, to: page.next } });
  lags?.seen(feed, page.last - (written === 'written' ? page.next : from), askedAt);
  return page.next > from && page.next < page.last;
}

/**
 * Takes up what was parked by a build that did not understand it. Of a subject nothing is taken behind what is still not
 * understood. To be called before feeds are followed.
 *
 * @returns how many were taken
 */
export async function takeUpParked(options: ConsumeOptions): Promise<number> {
  const { store, seen, pageMax = 1_000 } = options;
  let [after, taken] = [0, 0];
  const stuck = new Set<string>();
  for (;;) {
    const page = await seen.parked(after, pageMax);
    if (page.length === 0) return taken;
    const good: ParkedItem[] = [];
    for (const item of page) {
      const { subject } = item.event;
      if (standingOf(item.event) === 'unknown version') stuck.add(subject);
      else if (!stuck.has(subject)) good.push(item);
    }
    const lines = good.filter(({ event }) => event.type === 'statement.line').map(({ event }) => lineOf(event));
    await store.put({ lines, expectations: await expectationsOf(good, options, []) });
    await seen.unpark(good.map(({ event }) => event.id));
    taken += good.length;
    after = page.at(-1)?.position ?? after;
  }
}

async function expectationsOf(
  taken: readonly { readonly event: FedEvent; readonly position: number }[],
  { seen: store, onSettled }: Pick<ConsumeOptions, 'seen' | 'onSettled'>,
  parked: readonly ParkedItem[],
): Promise<Expectation[]> {
  const ofPayments = taken.filter(({ event }) => event.subject.startsWith('payment/'));
  const idOf = ({ subject }: FedEvent): string => subject.slice('payment/'.length);
  const ids = [...new Set(ofPayments.map(({ event }) => idOf(event)))];
  const before = ids.length === 0 ? new Map<string, PaymentSeen>() : await store.seen(ids);
  const after = new Map<string, { seen: PaymentSeen; position: number }>();
  const settled: Settled[] = [];
  for (const { event, position } of ofPayments) {
    const id = idOf(event);
    const was = after.get(id)?.seen ?? before.get(id);
    const seen = seenAfter(was, event);
    if (seen === undefined) continue;
    after.set(id, { seen, position });
    if (seen !== was) settled.push(...settledBy(event, seen));
  }
  await store.save(
    [...after.values()].map(({ seen }) => seen),
    parked,
  );
  // What is written is known when it comes again: each is told of once.
  for (const { profile, delaySeconds } of settled) onSettled?.(profile, delaySeconds);
  return [...after.values()].flatMap(({ seen, position }) => expectationOf(seen, position) ?? []);
}

interface Settled {
  readonly profile: string;
  readonly delaySeconds: number;
}

/** What was settled with its capture, or passes through no provider, has waited for no proof. */
function settledBy({ type, createdAt }: FedEvent, seen: PaymentSeen): Settled[] {
  if (type !== 'payment.settled' || seen.sinceAt === undefined) return [];
  const profile = expectationOf(seen, 0)?.profile;
  const delaySeconds = (Date.parse(createdAt) - Date.parse(seen.sinceAt)) / 1_000;
  return profile === undefined || !(delaySeconds > 0) ? [] : [{ profile, delaySeconds }];
}

/** Follows a feed until the signal: page after page, then asking now and then. What fails is tried again with back-off. */
export async function followFeed(
  options: ConsumeOptions & { readonly pollMs?: number; readonly onError: (error: unknown) => void },
  feed: FeedName,
  signal: AbortSignal,
): Promise<void> {
  const policy = retry(handleAll, {
    maxAttempts: Number.MAX_SAFE_INTEGER,
    backoff: new ExponentialBackoff({ initialDelay: 200, maxDelay: 10_000 }),
  });
  policy.onFailure(({ reason }) => {
    if ('error' in reason && !signal.aborted) options.onError(reason.error);
  });
  while (!signal.aborted) {
    const more = await policy
      .execute(() => consumePage(options, feed), signal)
      .catch((error: unknown) => {
        if (signal.aborted) return false;
        throw error;
      });
    if (!more) await sleep(options.pollMs ?? 500, undefined, { signal }).catch(() => undefined);
  }
}
