/** What the door takes, and how long it waits. */
export interface HttpLimits {
  /** Bytes of a body. The largest request has some hundreds. Default 16 KiB. */
  readonly bodyBytesMax: number;
  /** A request must have sent its headers by then, counted from the start of its connection. Default 10 s. */
  readonly headersMs: number;
  /** A request must have arrived, with its body, by then. Default 20 s. */
  readonly requestMs: number;
  /** A request is answered `OutcomeUnknown` after this. Default 30 s. */
  readonly handlerMs: number;
  /** A connection that waits for its next request is closed after this. Default 65 s: longer than most proxies keep theirs. */
  readonly keepAliveMs: number;
  /** A connection on which nothing moves is closed after this: who does not read the answer is not waited for. Default 60 s. */
  readonly idleMs: number;
  /** Connections at the same time; further ones are dropped. Default 1,000. */
  readonly connectionsMax: number;
  /** On close: how long the door goes on serving while it says that it is not ready, for balancers to hear of it. Default 0. */
  readonly unreadyMs: number;
  /** On close: requests that are not answered by then are cut off. Default 10 s. */
  readonly drainMs: number;
  /** Readiness: the database must answer within this. Default 1 s. */
  readonly probeMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  bodyBytesMax: 16 * 1024,
  headersMs: 10_000,
  requestMs: 20_000,
  handlerMs: 30_000,
  keepAliveMs: 65_000,
  idleMs: 60_000,
  connectionsMax: 1_000,
  unreadyMs: 0,
  drainMs: 10_000,
  probeMs: 1_000,
};
