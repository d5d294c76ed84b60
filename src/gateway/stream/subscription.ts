import type { EventLog, Position } from '../../../eventstore/index.ts';
import type { Frame } from './frames.ts';
import type { HotTopic, LiveFeed, Watcher } from './live-feed.ts';
import { encode } from './protocol.ts';
import { readAfter } from './read-after.ts';
import type { ReadGate } from './read-gate.ts';
import type { StateReader } from './read-state.ts';
import { nextTurn, type StreamTiming } from './timing.ts';
import type { StreamTopic, Topic } from './topics.ts';

/** What a subscription needs of the connection that it is on. */
export interface Outlet {
  /** To be sent with everything else that was fed in this turn. */
  queue(text: Buffer): void;
  /** Sends now, however much is waiting: whoever sends much asks `congested` first. */
  send(texts: readonly Buffer[]): void;
  /** So much is waiting for the client that a catch-up should pause. */
  readonly congested: boolean;
  /** Resolves when the connection is not congested any more, or closed. */
  uncongested(): Promise<void>;
}

/** What subscriptions read and are fed from; one for the door. */
export interface Sources {
  readonly log: EventLog;
  readonly feed: LiveFeed;
  readonly states: StateReader;
  readonly gate: ReadGate;
  readonly timing: StreamTiming;
}

/** The client asks for what comes after a position that this log has not reached. */
export class InvalidPositionError extends Error {
  override readonly name = 'InvalidPositionError';
  readonly code = 'InvalidPosition';
}

/** What a catch-up hands over at a time: so many steps, or bytes. */
const stepsAtOnce = 64;
const bytesAtOnce = 65_536;
/**
 * How long a catch-up works before it lets others. By time, not by steps: turns are long when much is going on, and a
 * catch-up that does less in a turn than is appended in it would never end.
 */
const turnMs = 8;

/** One topic on one connection: catches up from the log, then is fed live. */
export class Subscription implements Watcher {
  readonly topic: Topic;
  readonly #outlet: Outlet;
  readonly #sources: Sources;
  readonly #hot: HotTopic;
  #phase: 'joining' | 'live' | 'ended' = 'joining';
  /** Everything of the topic up to here was handed over. Undefined while the snapshot is being read. */
  #position: Position | undefined;

  /** Registers with the feed at once: nothing that is committed from now on can be missed. */
  constructor(topic: Topic, after: Position | undefined, outlet: Outlet, sources: Sources) {
    this.topic = topic;
    this.#outlet = outlet;
    this.#sources = sources;
    this.#hot = sources.feed.heat(topic);
    this.#position = after;
  }

  /** Brings the subscription to live. Rejects when the log cannot be read; whoever called then ends it. */
  async start(): Promise<void> {
    const { topic } = this;
    if (this.#position !== undefined) return this.#resume(this.#position);
    if (topic.kind !== 'payments') return this.#beginWithSnapshot(topic);
    // Of all payments there is nothing to say but from where on the client gets them.
    this.#join(this.#sources.feed.head);
  }

  end(): void {
    const was = this.#phase;
    this.#phase = 'ended';
    if (was === 'live') this.#sources.feed.leave(this.#hot, this);
    else if (was === 'joining') this.#sources.feed.cool(this.#hot);
  }

  take(frame: Frame): void {
    // It may have read further in the log than the feed was.
    if (this.#position !== undefined && frame.position <= this.#position) return;
    this.#position = frame.position;
    this.#outlet.queue(frame.bytes);
  }

  async #beginWithSnapshot(topic: StreamTopic): Promise<void> {
    const { feed, gate, states } = this.#sources;
    while (!this.#ended()) {
      await gate.enter();
      // Everything up to here is durable, so the read sees it, whatever else it sees.
      const { head } = feed;
      const read = this.#ended() ? undefined : states.read(topic);
      const topicState = await Promise.resolve(read).finally(() => gate.leave());
      if (topicState === undefined || this.#ended()) return;
      const { state, version, position } = topicState;
      const upTo = Math.max(head, position);
      // Sent only together with joining: a client that has a snapshot is live.
      if (this.#join(upTo, encode({ snapshot: { topic: topic.name, position: upTo, version, state } }))) return;
    }
  }

  async #resume(after: Position): Promise<void> {
    const { feed, gate, log } = this.#sources;
    // Another process may have shown the client more than this one has seen.
    if (after > feed.head && after > (await log.lastPosition())) {
      throw new InvalidPositionError(`the log has not reached position ${after}`);
    }
    let position = after;
    // What a client names may be in the middle of a unit, of which the feed has only the whole: read the log first.
    if (after === feed.head && this.#join(position)) return;
    while (!this.#ended()) {
      await gate.enter();
      const { head } = feed;
      position = Math.max(head, await this.#catchUp(position).finally(() => gate.leave()));
      if (this.#ended() || this.#join(position)) return;
    }
  }

  /** Sends what the log has after a position, as fast as the client takes it. Returns up to where. */
  async #catchUp(after: Position): Promise<Position> {
    let position = after;
    let texts: Buffer[] = [];
    let steps = 0;
    let bytes = 0;
    const { log, timing } = this.#sources;
    let turnEndsAt = timing.elapsedMs() + turnMs;
    const handOver = (): void => {
      if (texts.length > 0) this.#outlet.send(texts);
      texts = [];
      steps = 0;
      bytes = 0;
      this.#position = position;
    };
    for await (const { frame, position: upTo } of readAfter(log, this.topic, after)) {
      if (frame !== undefined) texts.push(frame.bytes);
      position = upTo;
      steps += 1;
      bytes += frame?.bytes.length ?? 0;
      if (steps < stepsAtOnce && bytes < bytesAtOnce) continue;
      handOver();
      if (!this.#outlet.congested && timing.elapsedMs() < turnEndsAt) continue;
      await (this.#outlet.congested ? this.#pause() : nextTurn(timing));
      if (this.#ended()) return position;
      turnEndsAt = timing.elapsedMs() + turnMs;
    }
    if (!this.#ended()) handOver();
    return position;
  }

  /** Waits for the client, and lets another reader in meanwhile. */
  async #pause(): Promise<void> {
    this.#sources.gate.leave();
    await this.#outlet.uncongested();
    await this.#sources.gate.enter();
  }

  /** Goes over to the feed, in one turn with sending what was fed since the position. */
  #join(position: Position, snapshot?: Buffer): boolean {
    const missed = this.#sources.feed.join(this.#hot, position, this);
    if (missed === undefined) return false;
    this.#phase = 'live';
    this.#position = missed.at(-1)?.position ?? position;
    const texts = missed.map((frame) => frame.bytes);
    if (snapshot !== undefined) texts.unshift(snapshot);
    else {
      const upTo = Math.max(this.#position, this.#sources.feed.head);
      texts.push(encode({ live: { topic: this.topic.name, position: upTo } }));
    }
    this.#outlet.send(texts);
    return true;
  }

  #ended(): boolean {
    return this.#phase === 'ended';
  }
}
