import type { Position } from '../../../eventstore/index.ts';
import type { Credential } from './credential.ts';
import type { StreamLimits } from './limits.ts';
import { MessageRate } from './message-rate.ts';
import { closeCodes, encode, parseClientMessage, type CloseCode, type ErrorCode } from './protocol.ts';
import type { Outlet } from './subscription.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { StreamTiming } from './timing.ts';
import type { Connection, ConnectionHandlers } from './transport.ts';

export interface SessionOptions {
  readonly connection: Connection;
  readonly limits: StreamLimits;
  readonly timing: StreamTiming;
  /** Up to where everything live was handed over. */
  head(): Position;
  /** Told of sessions that have something to send at the end of this feeding. */
  queued(session: Session): void;
  closed(session: Session): void;
}

/** What a session works with, and what needs the session to be made. */
export interface SessionParts {
  readonly subscriptions: Subscriptions;
  readonly credential: Credential;
}

/** One connected client: what it says, what is on its way to it, and when it must go. */
export class Session implements Outlet, ConnectionHandlers {
  readonly #options: SessionOptions;
  readonly #parts: SessionParts;
  readonly #rate: MessageRate;
  #open = true;
  #badMessages = 0;
  #queue: Buffer[] = [];
  /** Raised while what a catch-up left is still on its way: the client is not slow for that. */
  #bufferedBytesMax: number;
  #waiting: (() => void)[] = [];

  constructor(options: SessionOptions, parts: (session: Session) => SessionParts) {
    const { bufferedBytesMax, messagesAtOnce, messagesPerSecond } = options.limits;
    this.#options = options;
    this.#bufferedBytesMax = bufferedBytesMax;
    this.#rate = new MessageRate(messagesPerSecond, messagesAtOnce, options.timing.elapsedMs());
    this.#parts = parts(this);
  }

  message(bytes: Buffer, isBinary: boolean): void {
    if (!this.#mayGoOn()) return;
    if (bytes.byteLength > this.#options.limits.messageBytesMax) {
      this.close(closeCodes.messageTooBig);
      return;
    }
    const message = isBinary ? 'messages are text' : parseClientMessage(bytes.toString());
    if (typeof message === 'string') {
      this.#badMessage(message);
      return;
    }
    switch (message.type) {
      case 'subscribe':
        if (this.#parts.subscriptions.add(message.topic, message.after)) return;
        this.#badMessage('there is no such topic: payment/<id>, account/<id> or payments', 'UnknownTopic');
        return;
      case 'unsubscribe':
        this.#unsubscribe(message.topic);
        return;
      case 'ping':
        this.send([encode({ pong: message.echo })]);
        return;
      case 'token':
        void this.#refresh(message.token);
        return;
    }
  }

  control(): void {
    this.#mayGoOn();
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
    this.#parts.credential.close();
    this.#parts.subscriptions.clear();
    this.#wake();
    this.#options.closed(this);
  }

  /** Says that a topic is not, or not any more, watched as the client asked. */
  refuse(code: ErrorCode, message: string, topic?: string): void {
    this.send([encode({ error: topic === undefined ? { code, message } : { code, message, topic } })]);
  }

  /**
   * Closes, after what was sent before, and says where to resume the topics that were live. A topic that was still
   * catching up, or that the client has just asked for, resumes from where the client itself knows that it is.
   *
   * @param after up to where the live topics were handed over
   */
  close(code: CloseCode, after: Position = this.#options.head()): void {
    if (this.#open) this.#options.connection.close(code, JSON.stringify({ after }));
  }

  /** Whether one more message may come. */
  #mayGoOn(): boolean {
    if (this.#open && !this.#rate.take(this.#options.timing.elapsedMs())) this.close(closeCodes.tooManyMessages);
    return this.#open;
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

  #unsubscribe(topic: string): void {
    if (this.#parts.subscriptions.remove(topic)) this.send([encode({ unsubscribed: { topic } })]);
    else this.refuse('NotSubscribed', 'it is not being watched on this connection', topic);
  }

  async #refresh(token: string): Promise<void> {
    const { credential } = this.#parts;
    const wrong = await credential.refresh(token);
    if (!this.#open) return;
    if (wrong?.code === 'Unavailable') this.refuse(wrong.code, wrong.message);
    else if (wrong !== undefined) this.#badMessage(wrong.message, wrong.code);
    else
      this.send([encode({ refreshed: { tokenExpiresAt: new Date(credential.principal.expiresAtMs).toISOString() } })]);
  }

  /** Told what is wrong, some times; then whoever speaks another language is sent away. */
  #badMessage(message: string, code: ErrorCode = 'BadMessage'): void {
    this.refuse(code, message);
    this.#badMessages += 1;
    if (this.#badMessages >= this.#options.limits.badMessagesMax) this.close(closeCodes.badMessages);
  }
}
