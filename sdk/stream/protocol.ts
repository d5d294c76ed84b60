/** The messages of docs/stream.md, as the client sees them. */
export const subprotocol = 'kora.v1';
export const tokenSubprotocol = 'kora.token.';
export const deviceSubprotocol = 'kora.device.';

/** Close codes that the client has to do something about; after all others it just comes back. */
export const closeCodes = {
  messageTooBig: 1009,
  /** The log is damaged: people have to look. */
  internal: 1011,
  badMessages: 4400,
  tokenExpired: 4401,
  /** The session was ended, or what it allowed was taken away. */
  tokenRevoked: 4403,
  tooManyMessages: 4429,
} as const;

export interface Hello {
  readonly protocol: number;
  readonly position: number;
  readonly tokenExpiresAt: string;
}

/** The state of a topic after the event `version` of it, and everything up to `position`. Null: it does not exist (yet). */
export interface Snapshot<State> {
  readonly topic: string;
  readonly position: number;
  readonly version: number;
  readonly state: State | null;
}

/** Everything up to `position` was told; from now on events come when they happen. */
export interface Live {
  readonly topic: string;
  readonly position: number;
}

/** What one unit of the log brought to a topic: all of it. */
export interface Unit<Event> {
  readonly topic: string;
  /** Where you are once you have taken it in: resume with `after` this. */
  readonly position: number;
  /** When it was recorded, ISO 8601. */
  readonly at: string;
  /** When it holds in the world, where that is another time. */
  readonly effectiveAt?: string;
  readonly correlationId?: string;
  readonly events: readonly Event[];
}

export interface TopicError {
  readonly code: string;
  readonly message: string;
  readonly topic?: string;
}

export interface ServerMessage {
  readonly hello?: Hello;
  readonly snapshot?: Snapshot<unknown>;
  readonly live?: Live;
  readonly unit?: Unit<unknown>;
  readonly unsubscribed?: { readonly topic: string };
  readonly pong?: string | number | null;
  readonly refreshed?: { readonly tokenExpiresAt: string };
  readonly error?: TopicError;
}

export type ClientMessage =
  | { readonly subscribe: { readonly topic: string; readonly after?: number } }
  | { readonly unsubscribe: { readonly topic: string } }
  | { readonly ping: number }
  | { readonly token: string };
