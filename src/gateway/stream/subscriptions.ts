import type { Position } from '../../../eventstore/index.ts';
import type { Principal } from '../principal.ts';
import type { ErrorCode } from './protocol.ts';
import type { Quotas } from './quotas.ts';
import { InvalidPositionError, Subscription, type Outlet, type Sources } from './subscription.ts';
import { mayWatchEverything, type TopicAccess } from './topic-access.ts';
import { discreet, parseTopic, type Topic } from './topics.ts';

/** By what subscriptions are counted beside the connection that they are on. */
export type Share = 'inAll' | 'byPrincipal' | 'byAddress';

export interface SubscriptionsOptions {
  readonly sources: Sources;
  readonly access: TopicAccess;
  readonly outlet: Outlet;
  /** Topics on this connection. */
  readonly max: number;
  readonly quotas: Quotas<Share>;
  readonly shares: Readonly<Record<Share, string>>;
  /** As what the client is known now. */
  principal(): Principal;
  /** Something is not as it was asked for, or a topic is not watched any more. */
  refuse(code: ErrorCode, message: string, topic: string): void;
  /** The log could not be read. */
  failed(error: unknown): void;
}

/** It is not there, or not for this principal: nobody is told which of the two. */
class NotForYouError extends Error {
  override readonly name = 'NotForYouError';
  readonly code = 'NotFound';
}

const notForYou = 'there is no such account or payment that you may watch';

/** The topics that one connection watches. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #byName = new Map<string, Subscription>();
  /** Subscriptions that have not begun to be live, ended ones included until they notice. They keep their shares so long. */
  readonly #starting = new Set<Subscription>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** @returns false where there can be no topic of that name */
  add(name: string, after: Position | undefined): boolean {
    const named = parseTopic(name);
    if (named === undefined) return false;
    const { max, outlet, quotas, shares, sources } = this.#options;
    if (this.#byName.has(name)) {
      this.#options.refuse('AlreadySubscribed', 'it is being watched on this connection already', name);
      return true;
    }
    if (this.#byName.size >= max || this.#starting.size >= max) {
      this.#options.refuse('TooManySubscriptions', `a connection may watch ${max} topics`, name);
      return true;
    }
    const full = quotas.take(shares);
    if (full !== undefined) {
      this.#options.refuse('TooManySubscriptions', tooMany[full], name);
      return true;
    }
    const everything = mayWatchEverything(this.#options.principal());
    const topic = everything ? named : discreet(named);
    const subscription = new Subscription(topic, after, outlet, sources);
    this.#byName.set(name, subscription);
    this.#starting.add(subscription);
    this.#start(subscription, everything)
      .catch((error: unknown) => this.#startFailed(subscription, error))
      .finally(() => this.#started(subscription));
    return true;
  }

  /** @returns false where it is not watched */
  remove(name: string): boolean {
    const subscription = this.#byName.get(name);
    if (subscription === undefined) return false;
    this.#end(subscription);
    return true;
  }

  /** Ends what the principal may not watch any more, or not as it does, and says so. */
  recheck(): void {
    if (mayWatchEverything(this.#options.principal())) return;
    for (const subscription of this.#byName.values()) void this.#recheckOne(subscription);
  }

  clear(): void {
    for (const subscription of this.#byName.values()) this.#end(subscription);
  }

  async #start(subscription: Subscription, everything: boolean): Promise<void> {
    if (!everything && !(await this.#mayWatch(subscription.topic))) throw new NotForYouError(notForYou);
    await subscription.start();
  }

  #mayWatch(topic: Topic): Promise<boolean> {
    return this.#options.access.mayWatch(this.#options.principal(), topic);
  }

  async #recheckOne(subscription: Subscription): Promise<void> {
    const { topic } = subscription;
    try {
      const asBefore = topic.kind !== 'payment' || topic.discreet === true;
      if (asBefore && (await this.#mayWatch(topic))) return;
      this.#startFailed(subscription, new NotForYouError(notForYou));
    } catch (error) {
      this.#startFailed(subscription, error);
    }
  }

  #startFailed(subscription: Subscription, error: unknown): void {
    const { name } = subscription.topic;
    if (this.#byName.get(name) !== subscription) return;
    this.#end(subscription);
    if (error instanceof InvalidPositionError || error instanceof NotForYouError) {
      this.#options.refuse(error.code, error.message, name);
      return;
    }
    this.#options.failed(error);
    this.#options.refuse('Unavailable', 'the log could not be read: subscribe again', name);
  }

  #started(subscription: Subscription): void {
    this.#starting.delete(subscription);
    if (this.#byName.get(subscription.topic.name) !== subscription) this.#options.quotas.give(this.#options.shares);
  }

  #end(subscription: Subscription): void {
    subscription.end();
    this.#byName.delete(subscription.topic.name);
    // One that still waits for its turn to read costs as much as before.
    if (!this.#starting.has(subscription)) this.#options.quotas.give(this.#options.shares);
  }
}

const tooMany: Readonly<Record<Share, string>> = {
  inAll: 'too many topics are watched here: try again later, or another process',
  byPrincipal: 'all connections of this principal watch as many topics as they may',
  byAddress: 'all connections from this address watch as many topics as they may',
};
