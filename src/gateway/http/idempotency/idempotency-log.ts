import type { Answer } from '../answer.ts';

/** A request as the log of answers knows it. Keys belong to the principal; the session is recorded and decides nothing. */
export interface IdempotentCall {
  readonly tenant: string;
  readonly principal: string;
  readonly key: string;
  /** Of operation, target and body. */
  readonly fingerprint: string;
  readonly session: string | undefined;
}

/** What is known of a request. */
export type Claim =
  /**
   * Nothing: it is the caller's to carry out, and then to keep its answer, or to let go of it. Neither ever throws. What
   * is kept is known to this process at once, and to others soon: nobody has to wait for it.
   */
  | { readonly outcome: 'claimed'; keep(answer: Answer): void; release(): Promise<void> }
  | { readonly outcome: 'answered'; readonly answer: Answer }
  /** The key was used for another request. */
  | { readonly outcome: 'other-request' }
  /** Here: by this very process, which knows. Elsewhere: as far as is written down; whoever it was may have died. */
  | { readonly outcome: 'running'; readonly where: 'here' | 'elsewhere' };

/**
 * A cache of answers, and the marks of requests that are at work. It decides nothing: what it forgot, the event log
 * knows. So where it cannot be asked, requests go on without it.
 */
export interface IdempotencyLog {
  claim(call: IdempotentCall): Promise<Claim>;
  close(): Promise<void>;
}
