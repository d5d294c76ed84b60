/**
 * The circuit breaker, as the manager needs it. It is an actor with a stream of its own (`connector/<id>`), so that a
 * restart does not forget an outage; here is only what is asked of it before a call and told to it after one.
 */
export type BreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface Breaker {
  state(connectorId: string): BreakerState;
  /** Whether a payment may begin now. Takes nothing: it is asked of every candidate. */
  admits(connectorId: string): boolean;
  /**
   * A payment begins. False: not now. While half open it takes one of the few places of test calls, and exactly one of
   * `succeeded`, `failed` and `released` gives it back.
   */
  admit(connectorId: string): boolean;
  /** A payment was answered: taken, or finally refused. */
  succeeded(connectorId: string): void;
  /**
   * A payment, or a question (status, health), was not answered. Questions are asked without `admit`, also while it is
   * open; then there is nothing to be done.
   */
  failed(connectorId: string, reason: string): void;
  /** A payment that was admitted ended without telling anything of the connector: it was not sent, for reasons of ours. */
  released(connectorId: string): void;
}

/** Never opens. For where nothing breaks: tests, and tools that only ask. */
export const alwaysClosed: Breaker = {
  state: () => 'CLOSED',
  admits: () => true,
  admit: () => true,
  succeeded: () => undefined,
  failed: () => undefined,
  released: () => undefined,
};
