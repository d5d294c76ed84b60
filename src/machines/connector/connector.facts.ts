/** What can have happened to a connector: its circuit breaker went from one state to another, and why. */
export type BreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

/** The connector after the fact, so that waking it reads one row. */
export interface ConnectorFigures {
  readonly state: BreakerState;
  /** Failures in a row that opened it; 0 when it is closed. */
  readonly failures: number;
  /** When test calls may begin. Absent when it is not open, or was opened by a person and stays so. */
  readonly openUntil?: string;
  /** Why it is not closed. */
  readonly reason?: string;
  /** Present and true: a person opened it, and a person closes it. */
  readonly forced?: true;
}

interface ConnectorFactBase {
  readonly after: ConnectorFigures;
}
export interface BreakerOpened extends ConnectorFactBase {
  readonly type: 'BreakerOpened';
}
/** Its time has come: test calls are let through. */
export interface BreakerHalfOpened extends ConnectorFactBase {
  readonly type: 'BreakerHalfOpened';
}
export interface BreakerClosed extends ConnectorFactBase {
  readonly type: 'BreakerClosed';
  /** Test calls in a row that succeeded. */
  readonly successes: number;
}
/** A person opened or closed it. Who it was is in the unit's meta. */
export interface BreakerForced extends ConnectorFactBase {
  readonly type: 'BreakerForced';
  readonly reason: string;
}
export type ConnectorFact = BreakerOpened | BreakerHalfOpened | BreakerClosed | BreakerForced;
