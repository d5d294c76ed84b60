import type { Position } from '../../../eventstore/index.ts';

/** The protocol of docs/stream.md. Messages are JSON objects with one key, which says what they are. */
export const protocolVersion = 1;
/** Offered and chosen in `Sec-WebSocket-Protocol`; a client need not offer any. */
export const subprotocol = 'kora.v1';
/** A browser, that cannot set headers, may offer its token as a second subprotocol, and its device as a third. */
export const tokenSubprotocol = 'kora.token.';
export const deviceSubprotocol = 'kora.device.';

export const closeCodes = {
  goingAway: 1001,
  messageTooBig: 1009,
  internal: 1011,
  slowConsumer: 4008,
  badMessages: 4400,
  tokenExpired: 4401,
  /** The token is good no more before its time: its session was ended, or what it allowed was taken away. */
  tokenRevoked: 4403,
  tooManyMessages: 4429,
} as const;
export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes];

export type ClientMessage =
  | { readonly type: 'subscribe'; readonly topic: string; readonly after: Position | undefined }
  | { readonly type: 'unsubscribe'; readonly topic: string }
  | { readonly type: 'ping'; readonly echo: string | number | null }
  /** A new token for the same principal. */
  | { readonly type: 'token'; readonly token: string };

export type ErrorCode =
  /** Not a message of this protocol. */
  | 'BadMessage'
  | 'UnknownTopic'
  /** It is not there, or not for this principal to see: which of the two is not said. */
  | 'NotFound'
  /** The new token is not good, or another principal's. The old one counts on. */
  | 'BadToken'
  | 'AlreadySubscribed'
  | 'NotSubscribed'
  | 'TooManySubscriptions'
  /** `after` is no position that this log has reached. */
  | 'InvalidPosition'
  /** The log could not be read, or a new token not checked: ask again later. */
  | 'Unavailable';

export type ServerMessage =
  | { readonly hello: { readonly protocol: number; readonly position: Position; readonly tokenExpiresAt: string } }
  | {
      readonly snapshot: {
        readonly topic: string;
        readonly position: Position;
        readonly version: number;
        readonly state: object | null;
      };
    }
  | { readonly live: { readonly topic: string; readonly position: Position } }
  | { readonly unsubscribed: { readonly topic: string } }
  | { readonly pong: string | number | null }
  | { readonly refreshed: { readonly tokenExpiresAt: string } }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly topic?: string } };

export function encode(message: ServerMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** What a client said, or what is wrong with it. */
export function parseClientMessage(text: string): ClientMessage | string {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  if (!isObject(message)) return 'a message is a JSON object';
  const [key, ...others] = Object.keys(message);
  if (key === undefined || others.length > 0) return 'a message has exactly one key';
  const body = message[key];
  switch (key) {
    case 'subscribe': {
      if (!isObject(body) || typeof body['topic'] !== 'string') return 'subscribe needs a topic';
      const after = body['after'];
      if (after === undefined) return { type: 'subscribe', topic: body['topic'], after };
      if (!Number.isSafeInteger(after) || (after as number) < 0) return 'after is a position: a whole number from 0';
      return { type: 'subscribe', topic: body['topic'], after: after as number };
    }
    case 'unsubscribe':
      if (!isObject(body) || typeof body['topic'] !== 'string') return 'unsubscribe needs a topic';
      return { type: 'unsubscribe', topic: body['topic'] };
    case 'ping':
      if (body === null || typeof body === 'number' || (typeof body === 'string' && body.length <= 64)) {
        return { type: 'ping', echo: body };
      }
      return 'ping takes null, a number, or a text of up to 64 characters';
    case 'token':
      if (typeof body !== 'string' || body === '') return 'token takes a token: a text';
      return { type: 'token', token: body };
    default:
      return 'a message is subscribe, unsubscribe, ping or token';
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
