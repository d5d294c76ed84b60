/** Bounds of the stream door. Every one has a default that suits a process with some thousand clients. */
export interface StreamLimits {
  /** Open connections; further ones are answered 503. Default 10,000. */
  readonly connectionsMax: number;
  /** Topics that one connection may watch at a time. Default 5,000. */
  readonly subscriptionsMax: number;
  /** Size of a client's message. Larger: closed with 1009. Default 4,096. */
  readonly messageBytesMax: number;
  /** Messages that make no sense before the connection is closed with 4400. Default 5. */
  readonly badMessagesMax: number;
  /** Bytes that may wait for a client while it is fed live. More: closed with 4008. Default 1 MiB. */
  readonly bufferedBytesMax: number;
  /** A client that neither sends, nor takes, nor answers pings for this long is cut off. 8 s to 960 s. Default 60 s. */
  readonly idleTimeoutMs: number;
  /** Snapshots and catch-ups that read the log at a time; the others queue. Default 4. */
  readonly readsMax: number;
  /** How long `close` waits for clients to take what is on its way to them. Default 2 s. */
  readonly closeGraceMs: number;
}

export const defaultStreamLimits: StreamLimits = {
  connectionsMax: 10_000,
  subscriptionsMax: 5_000,
  messageBytesMax: 4_096,
  badMessagesMax: 5,
  bufferedBytesMax: 1_048_576,
  idleTimeoutMs: 60_000,
  readsMax: 4,
  closeGraceMs: 2_000,
};
