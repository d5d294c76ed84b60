/**
 * Bounds of the stream door. Every one has a default that suits a process with some thousand clients. An address is an
 * IPv4 address or a /64 of IPv6.
 */
export interface StreamLimits {
  /** Open connections of the process; further ones are answered 503. Default 10,000. */
  readonly connectionsMax: number;
  /** Open connections of one principal; further ones are answered 429. Default 1,000. */
  readonly connectionsPerPrincipalMax: number;
  /** Open connections from one address; further ones are answered 429. Default 1,000. */
  readonly connectionsPerAddressMax: number;
  /** Topics that one connection may watch at a time. Default 5,000. */
  readonly subscriptionsMax: number;
  /** Topics that all connections of a principal may watch at a time. Default 50,000. */
  readonly subscriptionsPerPrincipalMax: number;
  /** Topics that all connections from one address may watch at a time. Default 50,000. */
  readonly subscriptionsPerAddressMax: number;
  /** Topics that all connections of the process may watch at a time. Default 500,000. */
  readonly subscriptionsInAllMax: number;
  /** Size of a client's message. Larger: closed with 1009. Default 10,240: a token fits in. */
  readonly messageBytesMax: number;
  /** Messages (pings and pongs too) that a client may send in the long run. More: closed with 4429. Default 200. */
  readonly messagesPerSecond: number;
  /** Messages that it may send at once: it subscribes to all its topics when it comes back. Default 6,000. */
  readonly messagesAtOnce: number;
  /** Messages that make no sense before the connection is closed with 4400. Default 5. */
  readonly badMessagesMax: number;
  /** Bytes that may wait for a client while it is fed live. More: closed with 4008. Default 1 MiB. */
  readonly bufferedBytesMax: number;
  /** A client that neither sends, nor takes, nor answers pings for this long is cut off. 8 s to 960 s. Default 60 s. */
  readonly idleTimeoutMs: number;
  /** How often the token of an open connection is looked at again: its session may have been ended. Default 5 s. */
  readonly recheckMs: number;
  /** Snapshots and catch-ups that read the log at a time; the others queue. Default 4. */
  readonly readsMax: number;
  /** How long `close` waits for clients to take what is on its way to them. Default 2 s. */
  readonly closeGraceMs: number;
}

export const defaultStreamLimits: StreamLimits = {
  connectionsMax: 10_000,
  connectionsPerPrincipalMax: 1_000,
  connectionsPerAddressMax: 1_000,
  subscriptionsMax: 5_000,
  subscriptionsPerPrincipalMax: 50_000,
  subscriptionsPerAddressMax: 50_000,
  subscriptionsInAllMax: 500_000,
  messageBytesMax: 10_240,
  messagesPerSecond: 200,
  messagesAtOnce: 6_000,
  badMessagesMax: 5,
  bufferedBytesMax: 1_048_576,
  idleTimeoutMs: 60_000,
  recheckMs: 5_000,
  readsMax: 4,
  closeGraceMs: 2_000,
};
