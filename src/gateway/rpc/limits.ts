/** What the door takes, and how long it waits. */
export interface RpcLimits {
  /** Bytes of one message, after decompression. A batch of 10,000 payments has about 1 MB, 2.5 MB as JSON. Default 16 MiB. */
  readonly messageBytesMax: number;
  /** Commands of one batch. Default 10,000. */
  readonly batchCommandsMax: number;
  /** A call is answered `deadline_exceeded` after this, or after its own shorter time-out. Default 60 s. */
  readonly callMsMax: number;
  /** A connection must have said which protocol it speaks, and sent its first headers, by then. Default 10 s. */
  readonly helloMs: number;
  /** A request must have arrived, with its body, by then. Default 30 s. */
  readonly requestMs: number;
  /** A connection on which nothing happens is closed after this. Default 120 s. */
  readonly idleMs: number;
  /** Connections at the same time; further ones are dropped. Default 1,000. */
  readonly connectionsMax: number;
  /** On close: calls are taken as ever for so long, while health says "not serving", so that balancers turn away. Default 0. */
  readonly noticeMs: number;
  /** On close: calls that are not answered by then are cut off. Default 10 s. */
  readonly drainMs: number;
}

export const defaultRpcLimits: RpcLimits = {
  messageBytesMax: 16 * 1024 * 1024,
  batchCommandsMax: 10_000,
  callMsMax: 60_000,
  helloMs: 10_000,
  requestMs: 30_000,
  idleMs: 120_000,
  connectionsMax: 1_000,
  noticeMs: 0,
  drainMs: 10_000,
};
