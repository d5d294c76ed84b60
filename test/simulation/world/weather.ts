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
  /** What is sent to a provider waits before its first byte is written. */
  readonly sendSlow: number;
  /** A process dies with an intent in the log and nothing sent; or what it sent is not recorded. */
  readonly killedSending: number;
  /** A provider takes its time. */
  readonly providerSlow: number;
  /** A request never comes to the provider, or when nobody waits for an answer any more; or its answer is lost. */
  readonly providerLost: number;
  readonly providerLate: number;
  readonly answerLost: number;
  /** A final "no"; and one after it had said that it would. */
  readonly providerRefuses: number;
  readonly providerRefusesLater: number;
  /** An error is all that it answers, whether it did it or not. */
  readonly providerErrs: number;
  /** What a provider says by itself: never, twice, late, or before it has answered. */
  readonly callbackLost: number;
  readonly callbackTwice: number;
  readonly callbackLate: number;
  readonly callbackEarly: number;
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
  sendSlow: 0,
  killedSending: 0,
  providerSlow: 0,
  providerLost: 0,
  providerLate: 0,
  answerLost: 0,
  providerRefuses: 0,
  providerRefusesLater: 0,
  providerErrs: 0,
  callbackLost: 0,
  callbackTwice: 0,
  callbackLate: 0,
  callbackEarly: 0,
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
  sendSlow: 0.1,
  killedSending: 0.02,
  providerSlow: 0.2,
  providerLost: 0.08,
  providerLate: 0.08,
  answerLost: 0.1,
  providerRefuses: 0.2,
  providerRefusesLater: 0.12,
  providerErrs: 0.06,
  callbackLost: 0.2,
  callbackTwice: 0.2,
  callbackLate: 0.2,
  callbackEarly: 0.3,
};
