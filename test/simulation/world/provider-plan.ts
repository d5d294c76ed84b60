import type { ConnectorTerms } from '../../../src/actors/dispatcher/ports.ts';
import type { BreakerTerms } from '../../../src/actors/breakers.ts';

/** A way to a provider, as its configuration has it. */
export interface ConnectorPlan {
  readonly id: string;
  readonly provider: string;
  readonly terms: ConnectorTerms;
  readonly breaker: BreakerTerms;
  /** The provider tells by itself what became of things. */
  readonly callsBack: boolean;
  /** Between its first "yes" and the deed, and between a collection and its settlement. */
  readonly doesAfterMs: number;
  readonly settlesAfterMs: number;
}

/** Which payments go by which connectors, and how Kora looks after them. */
export interface ProvidersPlan {
  readonly connectors: readonly ConnectorPlan[];
  /** By the provider that a payment names: connectors in the order in which they are asked. */
  readonly routes: Readonly<Record<string, readonly string[]>>;
  readonly bounds: Readonly<Record<string, { readonly min: bigint; readonly max: bigint }>>;
  /** All processes dispatch everything, or each its part. */
  readonly election: 'everyone' | 'partitions';
  readonly pollMs: number;
  readonly askFirstMs: number;
  readonly askMaxMs: number;
  readonly giveUpMs: number;
  readonly inFlightMax: number;
}

export function connectorOf(plan: ProvidersPlan, id: string): ConnectorPlan | undefined {
  return plan.connectors.find((one) => one.id === id);
}
