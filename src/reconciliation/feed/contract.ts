import { createHmac, timingSafeEqual } from 'node:crypto';
import { Ajv } from 'ajv';
import { type Static, Type } from 'typebox';

/**
 * The contract that reconciliation is fed by, as it reads it: docs/events.md. It is declared here once more, and not
 * imported from who tells it: the two are deployed apart, and `test/reconciliation/feed.test.ts` holds them against each other.
 */
const envelope = Type.Object({
  id: Type.String({ minLength: 1 }),
  type: Type.String({ pattern: '^[a-z_]+\\.[a-z_]+$' }),
  version: Type.Integer({ minimum: 1 }),
  createdAt: Type.String(),
  subject: Type.String({ minLength: 1 }),
  sequence: Type.Integer({ minimum: 1 }),
  data: Type.Record(Type.String(), Type.Unknown()),
  /** Keyed hashes of what statements may say of it. */
  tokens: Type.Array(Type.String()),
});
export type FedEvent = Static<typeof envelope>;

const isEnvelope = new Ajv().compile<FedEvent>(envelope);

/** As it comes: the event's text, and its signature. */
export interface FedItem {
  readonly position: number;
  readonly body: string;
  readonly signature: string;
}

export interface FedPage {
  readonly items: readonly FedItem[];
  readonly next: number;
  readonly last: number;
}

/** Where events come from. */
export interface FeedSource {
  read(feed: FeedName, after: number, limit: number): Promise<FedPage>;
}
export type FeedName = 'payments' | 'statements';

/** What was fed is not what the contract says, or not from who it should be: nothing of it is taken. */
export class FeedRefusedError extends Error {
  override readonly name = 'FeedRefusedError';
  readonly code: 'SignatureInvalid' | 'Stale' | 'Malformed' | 'OutOfOrder';

  constructor(code: FeedRefusedError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** How old or new a signature may be: what was caught on the way is good for so long. */
export const SIGNED_WITHIN_MS = 300_000;

/**
 * Reads an event, if it is signed by who has the secret, now.
 *
 * @throws FeedRefusedError
 */
export function readItem({ body, signature }: FedItem, secrets: readonly string[], now: Date): FedEvent {
  const [, seconds = '', values = ''] = /^t=(\d{1,12}),(v1=[0-9a-f]{64}(?:,v1=[0-9a-f]{64})*)$/.exec(signature) ?? [];
  const isSigned = secrets.some((secret) => {
    const ours = createHmac('sha256', secret).update(`${seconds}.${body}`).digest();
    return values.split(',').some((value) => {
      const theirs = Buffer.from(value.slice(3), 'hex');
      return theirs.length === ours.length && timingSafeEqual(theirs, ours);
    });
  });
  if (!isSigned) {
    throw new FeedRefusedError(
      'SignatureInvalid',
      'an event is not signed by the core: is KORA_EVENTS_SECRET the same?',
    );
  }
  if (Math.abs(now.getTime() - Number(seconds) * 1_000) > SIGNED_WITHIN_MS) {
    throw new FeedRefusedError(
      'Stale',
      `an event was signed at ${seconds} (Unix): it is replayed, or a clock is wrong`,
    );
  }
  const event: unknown = JSON.parse(body);
  if (!isEnvelope(event)) throw new FeedRefusedError('Malformed', 'an event is not as docs/events.md says');
  return event;
}
