/**
 * What Kora asks of a bank or a provider, whatever its protocol. The interface is the specification's, letter for letter;
 * the types beside it say what its words mean here.
 *
 * Amounts are decimal strings of minor units (ISO 4217 exponent), instants ISO 8601 in UTC. Nothing personal is in any of
 * them: whom money goes to or comes from is a reference that the provider's side resolves.
 */
export interface BankConnector {
  name: string;
  type: ConnectorType;

  // Lifecycle
  init(config: ConnectorConfig): Promise<void>;
  shutdown?(): Promise<void>;

  // Payment operations
  /** One attempt. Never throws for what the provider or the network does: that is in the result. */
  sendPayment(slice: PayoutSlice): Promise<BankSendResult>;
  /**
   * What became of a payment. While there is no provider's reference our own key is the reference, written
   * `key:<idempotency key>` (`keyReference`); a connector that cannot look it up says so in its `capabilities`.
   */
  getPaymentStatus(providerRef: string): Promise<BankPaymentStatus>;

  // Statement operations
  uploadStatement(file: Buffer, meta: Metadata): Promise<{ imported_id: string }>;
  parseStatement(importedId: string): Promise<BankStatementLine[]>;

  // Health
  healthcheck(): Promise<HealthCheckResult>;
}

export type ConnectorType = 'rest' | 'mt940' | 'iso20022' | 'local' | 'csv';

/** One connector, as it is configured. Secrets in `settings` are references (`env:NAME`, `file:/path`), resolved for `init`. */
export interface ConnectorConfig {
  /** Of the connector: its stream is `connector/<id>`. Letters, digits, `_`, `.`, `-`, 64 at most. */
  readonly id: string;
  readonly type: ConnectorType;
  /** The bank profile that it belongs to: the `provider` of payments, of which the `float:`, `payable:` … accounts are named. */
  readonly profile: string;
  /** The lowest is asked first. Default 100. */
  readonly priority: number;
  /** Rails that it serves (`momo`, `sepa` …); empty: any. */
  readonly rails: readonly string[];
  /** ISO 4217; empty: any. */
  readonly currencies: readonly string[];
  readonly capabilities: ConnectorCapabilities;
  readonly limits: ConnectorLimits;
  readonly breaker: BreakerSettings;
  /** What its type wants: see the folder of that type. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ConnectorCapabilities {
  /** It can take money from somebody (CASH_IN). */
  readonly collects: boolean;
  /** It can send money to somebody (CASH_OUT, payouts). */
  readonly disburses: boolean;
  /** The same key twice is one payment: only then is anything ever sent again. */
  readonly honoursKeys: boolean;
  /** A payment can be asked for by our key. Otherwise what is in doubt waits for statements or people. */
  readonly findsByKey: boolean;
}

export interface ConnectorLimits {
  /** Of one request, from its first byte on. */
  readonly requestTimeoutMs: number;
  /** A request is not begun later than this after its intent. */
  readonly sendWithinMs: number;
  /** How far the provider's clock and ours may be apart. */
  readonly clockSkewMs: number;
  /** After so long "not found" is final: a request still on its way would have arrived. */
  readonly notFoundFinalAfterMs: number;
  /** Requests at work at once (the bulkhead), and how many may wait for a place. */
  readonly concurrencyMax: number;
  readonly waitingMax: number;
  /** Minor units in one payment; absent: no bound. */
  readonly amountMin?: string;
  readonly amountMax?: string;
}

export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failuresMax: number;
  /** How long it stays open before test calls. */
  readonly openMs: number;
  /** Test calls in a row that must succeed to close it. */
  readonly successesMin: number;
}

/** What is sent: a slice of a payout, a cash-out, or (`collect`) a cash-in. */
export interface PayoutSlice {
  /** The payment's id. */
  readonly id: string;
  readonly operation: 'disburse' | 'collect';
  readonly amount: string;
  readonly currency: string;
  /** One slice is one bank transaction, whatever is retried. */
  readonly idempotencyKey: string;
  /** Whom it goes to or comes from: an opaque reference. */
  readonly account: string;
  readonly rail?: string;
  /** Nothing may be written to the socket at or after this. */
  readonly sendBefore: string;
  readonly traceId: string;
}

/** A `reason` is a code, and after a colon what explains it: `ConnectFailed: ECONNREFUSED`. Nothing secret is in it. */
export type BankSendResult =
  /** The provider has it. `confirmed`: and the money has moved. */
  | {
      readonly outcome: 'accepted';
      readonly providerRef: string;
      readonly status: 'pending' | 'confirmed';
      readonly providerFee?: string;
    }
  /**
   * A final "no": no money moves. `elsewhere`: another connector may be asked; else the payment itself is refused.
   * `ofConnector`: it is not about the payment (our signature is wrong, the provider cannot work now), so it counts against
   * the connector.
   */
  | { readonly outcome: 'refused'; readonly code: string; readonly elsewhere: boolean; readonly ofConnector?: true }
  /** In doubt: it may have arrived. An answer that cannot be read, or contradicts the schema, is this too. */
  | { readonly outcome: 'unknown'; readonly reason: string }
  /** Not one byte of the request was written. */
  | { readonly outcome: 'not_sent'; readonly reason: string };

export type BankPaymentStatus =
  /** The provider has it and is at work. */
  | { readonly status: 'pending'; readonly providerRef: string }
  /** Done. Of a collection: the customer has paid. */
  | { readonly status: 'confirmed'; readonly providerRef: string; readonly providerFee?: string }
  /** Done, and settled with us: of a collection, the money is on our account there. */
  | { readonly status: 'settled'; readonly providerRef: string; readonly providerFee?: string }
  | { readonly status: 'refused'; readonly code: string; readonly elsewhere: boolean; readonly providerRef?: string }
  /** The provider knows of no such payment now. Whether that is final is for whoever knows when it was sent. */
  | { readonly status: 'not_found' }
  /** It could not be asked, or its answer cannot be read: nothing is known. */
  | { readonly status: 'unknown'; readonly reason: string };

/** Where a statement comes from. */
export interface Metadata {
  readonly bank_profile_id: string;
  readonly file_name: string;
  readonly received_at: string;
}

export interface BankStatementLine {
  readonly statement_date: string;
  /** Signed minor units, credit +. */
  readonly amount: string;
  readonly currency: string;
  readonly reference: string;
  readonly provider_ref?: string;
}

export interface HealthCheckResult {
  readonly healthy: boolean;
  readonly latencyMs: number;
  readonly detail?: string;
}

/** What a kind of connector does not do (yet). A fault of the caller: capabilities and documentation say what there is. */
export class NotSupportedError extends Error {
  override readonly name = 'NotSupportedError';
  readonly code = 'NotSupported';
}

/** Our key as a reference for `getPaymentStatus`. */
export function keyReference(idempotencyKey: string): string {
  return `key:${idempotencyKey}`;
}

/** The key in a reference that is one; undefined where it is the provider's. */
export function keyOf(reference: string): string | undefined {
  return reference.startsWith('key:') ? reference.slice(4) : undefined;
}
