import { createStore, type StandardSchemaV1 } from '@xstate/store';
import type { Position, RecordedUnit } from '../../../eventstore/index.ts';
import { eventsJson, frameOf, isPaymentRow, lastPositionOf, type Frame } from './frames.ts';
import { discreetKeyOf, keyOf, type Topic } from './topics.ts';

/** Somebody who is fed a topic. */
export interface Watcher {
  take(frame: Frame): void;
}

/** A topic that somebody watches or is about to. */
export interface HotTopic {
  readonly topic: Topic;
  readonly watchers: Set<Watcher>;
  /** Those who are still reading the log, and will join. */
  joining: number;
  /** While somebody is joining: everything of the topic after `since`, up to the head. */
  recent: Frame[];
  since: Position;
}

export interface Delivery {
  readonly hot: HotTopic;
  readonly frame: Frame;
}

/** The live state that all sessions are served from. */
export interface LiveState {
  /** Every unit up to here has been fed. */
  readonly head: Position;
  readonly sessions: number;
  /** By stream id, and `payments`. Changed in place: a copy per event would cost more than all the rest. */
  readonly topics: ReadonlyMap<string, HotTopic>;
}

/** Frames kept for those who are joining. Who reads more slowly than they go by reads the log once more. */
const recentMax = 1_024;

/**
 * The live state, in a store, and the seam between what a client reads from the log and what it is fed.
 *
 * The seam: `heat` first, so that everything after the head of that moment is kept; then read the log; then `join` at
 * the position that was read up to, in one turn. What was kept is handed out by position, so nothing is missing and
 * nothing comes twice, however the log and the follower raced.
 */
export class LiveFeed {
  readonly store;
  readonly #topics = new Map<string, HotTopic>();

  /** @param head where the follower of the log begins */
  constructor(head: Position) {
    const initial: LiveState = { head, sessions: 0, topics: this.#topics };
    this.store = createStore({
      schemas: { emitted: { fed: typed<{ deliveries: readonly Delivery[]; before: Position }>() } },
      context: initial,
      on: {
        sessionOpened: (state) => ({ ...state, sessions: state.sessions + 1 }),
        sessionClosed: (state) => ({ ...state, sessions: state.sessions - 1 }),
        passedOver: (state, { head }: { head: Position }) => ({ ...state, head }),
        topicsChanged: (state) => ({ ...state }),
        advanced: (state, { units }: { units: readonly RecordedUnit[] }, enqueue) => {
          const deliveries: Delivery[] = [];
          if (this.#topics.size > 0) for (const unit of units) publish(this.#topics, unit, deliveries);
          if (deliveries.length > 0) enqueue.emit.fed({ deliveries, before: state.head });
          return { ...state, head: units.at(-1)?.lastPosition ?? state.head };
        },
      },
    });
  }

  get head(): Position {
    return this.store.getSnapshot().context.head;
  }

  /** Begins to keep what happens on a topic, for one who will join it. Ends with `join` or `cool`. */
  heat(topic: Topic): HotTopic {
    const key = keyOf(topic);
    let hot = this.#topics.get(key);
    if (hot === undefined) {
      hot = { topic, watchers: new Set(), joining: 0, recent: [], since: this.head };
      this.#topics.set(key, hot);
      this.store.trigger.topicsChanged();
    }
    if (hot.joining === 0) hot.since = this.head;
    hot.joining += 1;
    return hot;
  }

  /**
   * Joins one who has everything of the topic up to a position.
   *
   * @returns what it missed, to be sent before this turn ends; undefined when that is not kept any more: read on from
   *   the position, and try again
   */
  join(hot: HotTopic, position: Position, watcher: Watcher): readonly Frame[] | undefined {
    if (position < hot.since) return undefined;
    const missed = hot.recent.filter((frame) => frame.position > position);
    hot.watchers.add(watcher);
    this.cool(hot);
    return missed;
  }

  /** Gives up joining. */
  cool(hot: HotTopic): void {
    hot.joining -= 1;
    if (hot.joining === 0) hot.recent = [];
    this.#forget(hot);
  }

  /** Stops feeding one who had joined. */
  leave(hot: HotTopic, watcher: Watcher): void {
    hot.watchers.delete(watcher);
    this.#forget(hot);
  }

  #forget(hot: HotTopic): void {
    if (hot.joining > 0 || hot.watchers.size > 0) return;
    if (this.#topics.delete(keyOf(hot.topic))) this.store.trigger.topicsChanged();
  }
}

/** Finds what of a unit is on hot topics, encodes it once, keeps it for those who are joining. */
function publish(topics: ReadonlyMap<string, HotTopic>, unit: RecordedUnit, deliveries: Delivery[]): void {
  const payments = topics.get('payments');
  let ofPayments = '';
  for (const row of unit.rows) {
    const hot = topics.get(row.stream);
    const isPayment = isPaymentRow(row);
    const discreet = isPayment ? topics.get(discreetKeyOf(row.stream)) : undefined;
    if (discreet !== undefined) {
      const events = eventsJson(row, 0, true);
      put(discreet, frameOf(discreet.topic.name, lastPositionOf(row), unit, events), deliveries);
    }
    const ofAll = payments !== undefined && isPayment;
    if (hot === undefined && !ofAll) continue;
    const events = eventsJson(row, 0);
    if (hot !== undefined) put(hot, frameOf(hot.topic.name, lastPositionOf(row), unit, events), deliveries);
    if (ofAll) ofPayments += ofPayments === '' ? events : `,${events}`;
  }
  if (payments !== undefined && ofPayments !== '') {
    put(payments, frameOf(payments.topic.name, unit.lastPosition, unit, ofPayments), deliveries);
  }
}

function put(hot: HotTopic, frame: Frame, deliveries: Delivery[]): void {
  if (hot.watchers.size > 0) deliveries.push({ hot, frame });
  if (hot.joining === 0) return;
  hot.recent.push(frame);
  if (hot.recent.length < recentMax * 2) return;
  const dropped = hot.recent.splice(0, recentMax);
  hot.since = dropped.at(-1)?.position ?? hot.since;
}

/** The type of an emitted event, in the only form in which the store takes it. */
function typed<Payload extends object>(): StandardSchemaV1<Payload> {
  return { '~standard': { version: 1, vendor: 'kora', validate: (value) => ({ value: value as Payload }) } };
}
