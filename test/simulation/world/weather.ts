/** How bad things are: chances from 0 to 1, delays in milliseconds. */
export interface Weather {
  /** A request or a reply between a client and a process. */
  readonly requestLost: number;
  readonly requestTwice: number;
  readonly replyLost: number;
  /** Of any message: that it takes many times longer, and is overtaken. */
  readonly slow: number;
  /** The store is at work on others: commits take tens of milliseconds, and units queue. */
  readonly busy: number;
  /** The connection breaks on the way to the store, or on the way back: the identical batch is sent again. */
  readonly commitLostBefore: number;
  readonly commitLostAfter: number;
  /** The lost call comes all the same, later than the one that was sent in its place. */
  readonly commitLate: number;
  /** The store refuses a batch for a reason of its own. */
  readonly commitFailed: number;
  readonly readFailed: number;
  /** What a read brings was true some hundred milliseconds ago. */
  readonly readSlow: number;
  /** News of other processes' commits come late. */
  readonly newsLate: number;
  /** A connection of a watcher breaks, for each message on it. */
  readonly connectionCut: number;
  /** A client is slow to take what it is sent. */
  readonly slowWatcher: number;
}

export const calm: Weather = {
  requestLost: 0,
  requestTwice: 0,
  replyLost: 0,
  slow: 0,
  busy: 0,
  commitLostBefore: 0,
  commitLostAfter: 0,
  commitLate: 0,
  commitFailed: 0,
  readFailed: 0,
  readSlow: 0,
  newsLate: 0,
  connectionCut: 0,
  slowWatcher: 0,
};

export const rough: Weather = {
  requestLost: 0.06,
  requestTwice: 0.08,
  replyLost: 0.06,
  slow: 0.08,
  busy: 0.4,
  commitLostBefore: 0.06,
  commitLostAfter: 0.06,
  commitLate: 0.5,
  commitFailed: 0.04,
  readFailed: 0.02,
  readSlow: 0.1,
  newsLate: 0.2,
  connectionCut: 0.04,
  slowWatcher: 0.1,
};
