import type { BreakerState } from './connector.facts.ts';
import type { ConnectorSnapshot } from './connector.machine.ts';

/** A connector as people and programs see it. What does not apply is absent. */
export interface ConnectorView {
  readonly connectorId: string;
  readonly state: BreakerState;
  readonly version: number;
  readonly failures: number;
  /** ISO 8601: when test calls may begin. */
  readonly openUntil?: string;
  readonly reason?: string;
  /** A person opened it. */
  readonly forced: boolean;
}

export function connectorView({ value, context }: ConnectorSnapshot): ConnectorView {
  const { connectorId, version, failures, openUntil, reason, forced } = context;
  return {
    connectorId,
    state: value,
    version,
    failures,
    forced,
    ...(openUntil !== undefined && { openUntil }),
    ...(reason !== undefined && { reason }),
  };
}
