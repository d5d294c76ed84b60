import type { Identity } from '../../identity/index.ts';
import type { Ledger } from '../../ledger/index.ts';
import type { Payments } from '../../payments/index.ts';
import type { Webhooks } from '../../webhooks/index.ts';
import type { Reconciliation } from '../reconciliation.ts';
import type { Feeds } from '../feeds.ts';
import type { Connectors } from '../connectors.ts';
import type { Authenticator } from '../principal.ts';
import type { Statements } from '../statements.ts';
import type { IdempotencyLog } from './idempotency/idempotency-log.ts';
import type { HttpLimits } from './limits.ts';

/** What every door lends its routes. */
export interface LentParts {
  readonly limits: HttpLimits;
  readonly readiness: () => Promise<Readiness>;
}

/** What the routes of cases work with. */
export interface CaseParts {
  readonly identity: Pick<Identity, 'verifySensitive'>;
  /** Undefined where nothing is reconciled. */
  readonly reconciliation?: Reconciliation;
  /** Where cases are, when nothing is reconciled here. */
  readonly reconciliationUrl?: string;
}

/** What handlers work with: the faces of the modules, and what the door lends them. */
export interface DoorParts extends LentParts, CaseParts {
  readonly ledger: Ledger;
  readonly payments: Payments;
  readonly connectors: Connectors;
  readonly identity: Identity;
  readonly providers: TakesCallbacks;
  readonly statements: Statements;
  readonly webhooks: Webhooks;
  /** Undefined where nobody is fed. */
  readonly feeds?: Feeds;
  /** For services of ours that are asked who somebody is. */
  readonly authenticator: Authenticator;
  readonly idempotency: IdempotencyLog;
  /** Why commands are not taken now; undefined: they are. */
  readonly refusal: () => string | undefined;
  /** The OpenAPI document of this door. */
  readonly openApi: () => object;
}

/** Takes what providers tell us by themselves. */
export interface TakesCallbacks {
  /** Undefined: it is taken, and what is new in it is durable. Otherwise the code of why it is not. */
  callback(callback: {
    readonly connectorId: string;
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
    readonly body: Buffer;
  }): Promise<string | undefined>;
}

/** Whether the door should be sent requests, and what speaks against it. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, 'ok' | 'failed' | 'draining'>>;
  /** Why it is not ready, where more is known than that. */
  readonly reason?: string;
}
