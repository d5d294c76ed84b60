import type { TSchema } from 'typebox';
import type { BankConnector, BankPaymentStatus, ConnectorCapabilities, ConnectorType } from './bank-connector.ts';
import type { Tracing } from './observing.ts';
import type { StatementDesk } from './statements/desk.ts';

/** One kind of connector: how its settings look, and how one is made. */
export interface ConnectorKind {
  readonly type: ConnectorType;
  /** Of `settings` as they are in the file, with references in place of secrets. Defaults in it are filled in. */
  readonly settings: TSchema;
  /** Where in `settings` secrets are, as paths: `tls.key`. `init` gets them as `Secret`. */
  readonly secrets: readonly string[];
  /** What it can do where the configuration says nothing. What is not promised is not assumed. */
  readonly capabilities: ConnectorCapabilities;
  create(ground: ConnectorGround): BankConnector & Partial<TakesCallbacks>;
}

/** What a connector stands on. */
export interface ConnectorGround {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly tracing: Tracing;
  readonly nonces: NonceStore;
  /** Absent: no statements are taken in. */
  readonly statements?: StatementDesk;
  /** Told what went wrong where nobody waits for an answer. */
  readonly onTrouble: (error: unknown, what: string) => void;
}

/** Remembers nonces of callbacks, for all processes: in a database. */
export interface NonceStore {
  /** True for the first who claims it in this scope, false for everybody later; it may be forgotten after `until`. */
  claim(scope: string, nonce: string, until: Date): Promise<boolean>;
}

/** A connector whose provider tells us by itself. Beside `BankConnector`, which is the specification's. */
export interface TakesCallbacks {
  /** Whether a callback is the provider's, in time and for the first time; then what it says. Never throws for a bad one. */
  readCallback(request: CallbackRequest): Promise<CallbackVerdict>;
}

export interface CallbackRequest {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As it came: the signature is over these bytes. */
  readonly body: Buffer;
}

export type CallbackVerdict =
  | {
      readonly outcome: 'read';
      /** Our key. */
      readonly reference: string;
      readonly providerRef: string;
      readonly status: BankPaymentStatus;
    }
  | { readonly outcome: 'refused'; readonly code: CallbackRefusalCode };

export type CallbackRefusalCode =
  'NotTaken' | 'SignatureMissing' | 'SignatureWrong' | 'Stale' | 'Replayed' | 'Unreadable';
