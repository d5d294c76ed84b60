import type { EventLog, Position } from '../../eventstore/index.ts';
import type { Envelope } from './events/catalog.ts';
import { publicEvents } from './events/public-events.ts';
import { signatureHeader } from './signature.ts';

/** An event of a feed, signed by itself: it can be kept, and its signature with it. */
export interface FeedItem {
  /** Where it stands in the feed. A reader that has taken it goes on behind it. */
  readonly position: number;
  /** The envelope as JSON, with `tokens` beside its data. */
  readonly body: string;
  /** `t=<unix seconds>,v1=<hex>`: as of a webhook, over `<t>.<body>`. */
  readonly signature: string;
}

export interface FeedPage {
  readonly items: readonly FeedItem[];
  /** Where to go on. */
  readonly next: number;
  /** The end of the feed when it was asked: what lies between is the reader's lag. */
  readonly last: number;
}

/** Events for a service of ours, that asks for them, from where it is. */
export interface EventFeed {
  /** @param limit events; a unit is never cut, so there may be some more */
  read(after: number, limit: number): Promise<FeedPage>;
}

export interface FeedOptions {
  readonly log: Pick<EventLog, 'readAll' | 'lastPosition'>;
  readonly secret: string;
  /**
   * Keyed hashes of what a statement may say of the events' payments, by event: the same hashes that the lines of statements
   * carry. What they are made from stays here.
   */
  readonly tokensOf: (envelopes: readonly Envelope[]) => Promise<readonly (readonly string[])[]>;
  readonly now?: () => Date;
}

/** What others are told of the log, as a feed. Pure reading: nothing is remembered of who reads. */
export function paymentFeed({ log, secret, tokensOf, now = () => new Date() }: FeedOptions): EventFeed {
  return {
    read: async (after, limit) => {
      const events: { readonly position: Position; readonly envelope: Envelope }[] = [];
      let next = after;
      // Before it is read: whoever has taken everything up to here is behind nothing that was there when it asked.
      const last = await log.lastPosition();
      for await (const unit of log.readAll(after)) {
        for (const { envelope } of publicEvents(unit)) events.push({ position: unit.lastPosition, envelope });
        next = unit.lastPosition;
        if (events.length >= limit) break;
      }
      const tokens = await tokensOf(events.map(({ envelope }) => envelope));
      const at = now();
      const items = events.map(({ position, envelope }, index) =>
        signedItem(position, { ...envelope, tokens: tokens[index] ?? [] }, secret, at),
      );
      return { items, next, last: Math.max(next, last) };
    },
  };
}

export function signedItem(position: number, event: object, secret: string, at: Date): FeedItem {
  const body = JSON.stringify(event);
  return { position, body, signature: signatureHeader(body, [secret], at) };
}
