/** What the dispatcher wants of connectors, of the clock and of the work list. Instants are ISO 8601, amounts minor units. */

/** A connector that may be told something. */
export interface Candidate {
  readonly id: string;
  /** Whose accounts move. */
  readonly profile: string;
}

export interface Wanted {
  /** The provider that the payment names. */
  readonly profile: string;
  readonly operation: 'disburse' | 'collect';
  readonly rail: string | undefined;
  readonly currency: string;
  readonly amount: bigint;
  /** Connectors that have refused it. */
  readonly except: ReadonlySet<string>;
}

/** What of a connector's configuration says how its silence is to be understood. */
export interface ConnectorTerms {
  readonly sendWithinMs: number;
  readonly requestTimeoutMs: number;
  readonly clockSkewMs: number;
  readonly notFoundFinalAfterMs: number;
  readonly honoursKeys: boolean;
  readonly findsByKey: boolean;
}

export interface Told {
  /** The payment's id, which is our key at the provider. */
  readonly id: string;
  readonly operation: 'disburse' | 'collect';
  readonly amount: string;
  readonly currency: string;
  readonly idempotencyKey: string;
  /** Whom it goes to, or comes from: an opaque reference. */
  readonly account: string;
  readonly rail?: string;
  readonly sendBefore: string;
  readonly traceId: string;
}

export type SendAnswer =
  | {
      readonly outcome: 'accepted';
      readonly providerRef: string;
      readonly status: 'pending' | 'confirmed';
      readonly providerFee?: string;
    }
  | { readonly outcome: 'refused'; readonly code: string; readonly elsewhere: boolean }
  | { readonly outcome: 'unknown'; readonly reason: string }
  | { readonly outcome: 'not_sent'; readonly reason: string };

export type StatusAnswer =
  | { readonly status: 'pending'; readonly providerRef: string }
  | { readonly status: 'confirmed'; readonly providerRef: string; readonly providerFee?: string }
  | { readonly status: 'settled'; readonly providerRef: string; readonly providerFee?: string }
  | { readonly status: 'refused'; readonly code: string; readonly elsewhere: boolean; readonly providerRef?: string }
  | { readonly status: 'not_found' }
  | { readonly status: 'unknown'; readonly reason: string };

export interface Connectors {
  /** Whether payments of this provider go through connectors at all. */
  serves(profile: string): boolean;
  /** The first in order that takes it. `none`: none ever will. `none now`: one would, but its breaker is open. */
  select(wanted: Wanted): Candidate | 'none' | 'none now';
  /** Whether a payment may begin there now: its breaker. */
  admits(connectorId: string): boolean;
  /** Undefined: there is no such connector any more. */
  terms(connectorId: string): ConnectorTerms | undefined;
  /** One attempt. Never throws. */
  send(connectorId: string, told: Told): Promise<SendAnswer>;
  /** @param reference the provider's, or `key:<our key>` */
  status(connectorId: string, reference: string, traceId: string): Promise<StatusAnswer>;
}

/** Where a payment has come, as far as the work list knows. */
export type WorkState = 'ready' | 'told' | 'sent' | 'in_doubt' | 'captured';

export interface WorkItem {
  readonly paymentId: string;
  readonly provider: string;
  readonly state: WorkState;
}

/** Time, so that a simulation can have its own. */
export interface Clock {
  now(): Date;
  /** Runs the work later; gives what calls it off. */
  after(ms: number, work: () => void): () => void;
  /** 0 to 1: jitter. */
  random(): number;
}
