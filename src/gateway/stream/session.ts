import type { Position } from '../../../eventstore/index.ts';
import type { StreamLimits } from './limits.ts';
import { closeCodes, encode, parseClientMessage, type CloseCode, type ErrorCode } from './protocol.ts';
import { InvalidPositionError, Subscription, type Outlet, type Sources } from './subscription.ts';
import { parseTopic } from './topics.ts';
import type { Connection, ConnectionHandlers } from './transport.ts';

export interface SessionOptions {
  readonly connection: Connection;
  readonly sources: Sources;
  readonly limits: StreamLimits;
  /** Told of sessions that have something to send at the end of this feeding. */
  queued(session: Session): void;
  closed(session: Session): void;
  /** The log could not be read for a client. */
  failed(error: unknown): void;
}

/** One connected client: its subscriptions, what is on its way to it, and when it must go. */
export class Session implements Outlet, ConnectionHandlers {
  readonly #options: SessionOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  #open = true;
  #badMessages = 0;
  /** Subscriptions that have not begun to be live, ended ones included until they notice. */
  #starting = 0;
  #queue: Buffer[] = [];
  /** Raised while what a catch-up left is still on its way: the client is not slow for that. */
  #bufferedBytesMax: number;
  #waiting: (() => void)[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#bufferedBytesMax = options.limits.bufferedBytesMax;
  }

  message(bytes: ArrayBuffer, isBinary: boolean): void {
    if (!this.#open) return;
    if (bytes.byteLength > this.#options.limits.messageBytesMax) {
      this.close(closeCodes.messageTooBig);
      return;
    }
    const message = isBinary ? 'messages are text' : parseClientMessage(Buffer.from(bytes).toString());
    if (typeof message === 'string') {
      this.#badMessage(message);
      return;
    }
    switch (message.type) {
      case 'subscribe':
        this.#subscribe(message.topic, message.after);
        return;
      case 'unsubscribe':
        this.#unsubscribe(message.topic);
        return;
      case 'ping':
        this.send([encode({ pong: message.echo })]);
        return;
    }
  }

  queue(text: Buffer): void {
    if (this.#queue.length === 0) this.#options.queued(this);
    this.#queue.push(text);
  }

  /**
   * Sends what was queued, unless the client is too slow: then it is closed, and told from where to resume.
   *
   * @param before position before the first unit of what was queued
   */
  flush(before: Position): void {
    const texts = this.#queue;
    this.#queue = [];
    if (!this.#open) return;
    if (this.#options.connection.bufferedBytes > this.#bufferedBytesMax) this.close(closeCodes.slowConsumer, before);
    else this.#send(texts);
  }

  send(texts: readonly Buffer[]): void {
    if (!this.#open || !this.#send(texts)) return;
    const { bufferedBytesMax } = this.#options.limits;
    this.#bufferedBytesMax = Math.max(
      this.#bufferedBytesMax,
      Math.min(this.#options.connection.bufferedBytes, 8 * bufferedBytesMax) + bufferedBytesMax,
    );
    this.#lowerLimit();
  }

  get congested(): boolean {
    return this.#open && this.#options.connection.bufferedBytes > this.#options.limits.bufferedBytesMax / 4;
  }

  async uncongested(): Promise<void> {
    while (this.congested) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  drained(): void {
    if (this.#open) this.#lowerLimit();
    this.#wake();
  }

  closed(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const subscription of this.#subscriptions.values()) subscription.end();
    this.#subscriptions.clear();
    this.#wake();
    this.#options.closed(this);
  }

  /**
   * Closes, after what was sent before, and says where to resume the topics that were live. A topic that was still
   * catching up, or that the client has just asked for, resumes from where the client itself knows that it is.
   *
   * @param after up to where the live topics were handed over
   */
  close(code: CloseCode, after: Position = this.#options.sources.feed.head): void {
    if (this.#open) this.#options.connection.close(code, JSON.stringify({ after }));
  }

  #send(texts: readonly Buffer[]): boolean {
    if (this.#options.connection.send(texts) === texts.length) return true;
    // Over the transport's own limit, which only a very large unit can reach: what was lost is after nothing we know.
    this.#options.connection.close(closeCodes.slowConsumer, '{}');
    return false;
  }

  /** Back to the ordinary limit as soon as the client is back below it. */
  #lowerLimit(): void {
    const { bufferedBytesMax } = this.#options.limits;
    if (this.#options.connection.bufferedBytes <= bufferedBytesMax / 2) this.#bufferedBytesMax = bufferedBytesMax;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #subscribe(name: string, after: Position | undefined): void {
    const topic = parseTopic(name);
    if (topic === undefined) {
      this.#badMessage(`there is no such topic: payment/<id>, account/<id> or payments`, 'UnknownTopic');
      return;
    }
    if (this.#subscriptions.has(topic.name)) {
      this.#refuse('AlreadySubscribed', 'it is being watched on this connection already', name);
      return;
    }
    const { subscriptionsMax } = this.#options.limits;
    if (this.#subscriptions.size >= subscriptionsMax || this.#starting >= subscriptionsMax) {
      this.#refuse('TooManySubscriptions', `a connection may watch ${subscriptionsMax} topics`, name);
      return;
    }
    const subscription = new Subscription(topic, after, this, this.#options.sources);
    this.#subscriptions.set(topic.name, subscription);
    this.#starting += 1;
    subscription
      .start()
      .catch((error: unknown) => this.#failed(subscription, error))
      .finally(() => (this.#starting -= 1));
  }

  #failed(subscription: Subscription, error: unknown): void {
    const { name } = subscription.topic;
    if (this.#subscriptions.get(name) !== subscription) return;
    subscription.end();
    this.#subscriptions.delete(name);
    if (error instanceof InvalidPositionError) {
      this.#refuse(error.code, error.message, name);
      return;
    }
    this.#options.failed(error);
    this.#refuse('Unavailable', 'the log could not be read: subscribe again', name);
  }

  #unsubscribe(name: string): void {
    const subscription = this.#subscriptions.get(name);
    if (subscription === undefined) {
      this.#refuse('NotSubscribed', 'it is not being watched on this connection', name);
      return;
    }
    subscription.end();
    this.#subscriptions.delete(name);
    this.send([encode({ unsubscribed: { topic: name } })]);
  }

  #refuse(code: ErrorCode, message: string, topic?: string): void {
    this.send([encode({ error: topic === undefined ? { code, message } : { code, message, topic } })]);
  }

  /** Told what is wrong, some times; then whoever speaks another language is sent away. */
  #badMessage(message: string, code: ErrorCode = 'BadMessage'): void {
    this.#refuse(code, message);
    this.#badMessages += 1;
    if (this.#badMessages >= this.#options.limits.badMessagesMax) this.close(closeCodes.badMessages);
  }
}
