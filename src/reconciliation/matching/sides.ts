/** The two sides of a reconciliation. Tokens and counterparties are opaque: whoever feeds them has hashed them. */

/** What we expect to see at a provider or bank. */
export interface Expectation {
  /** Payment or slice. */
  readonly id: string;
  /** The bank profile (provider). Nothing is matched across profiles. */
  readonly profile: string;
  readonly direction: 'in' | 'out';
  /** N, minor units, positive. */
  readonly amount: bigint;
  /** The provider's fee where it is known already, minor units. */
  readonly fee?: bigint;
  readonly currency: string;
  /** Of the provider's references, and of our key. */
  readonly tokens: readonly string[];
  /** Of what it is booked together with: payout, batch. */
  readonly groupTokens: readonly string[];
  readonly counterparty?: string;
  /** The business day it is expected on, `2026-11-27`. */
  readonly date: string;
  /** Of the feed: of two versions of one expectation the later holds. Decides nothing else. */
  readonly position: number;
  /** It failed or was reversed: it is not missed, and only a reference can still bring a line to it. Default false. */
  readonly withdrawn?: boolean;
}

/** One line of a statement or report. */
export interface ExternalLine {
  readonly id: string;
  readonly profile: string;
  readonly account: string;
  /** Signed minor units, credit +. */
  readonly amount: bigint;
  readonly currency: string;
  readonly valueDate: string;
  readonly entryDate?: string;
  /** Of its own reference fields. */
  readonly tokens: readonly string[];
  /** Of words in the remittance text that may be references. */
  readonly textTokens: readonly string[];
  readonly counterparty?: string;
  /** What a batch booking is made of; amounts signed like the line's. */
  readonly parts?: readonly { readonly amount: bigint; readonly tokens: readonly string[] }[];
  /** It takes back an earlier line. */
  readonly reversal: boolean;
  /** The transaction code: `NCHG`, `PMNT/RCDT/ESCT`. */
  readonly kindCode?: string;
  /** Its file is quarantined: nothing matches on it until it is released, which is for good. */
  readonly held: boolean;
}

/** What a person decided. It stands above every rule, until it is revoked. */
export interface Decision {
  readonly id: string;
  /** `link`: these belong together. `forbid`: no rule may bring any of the lines to any of the expectations. */
  readonly kind: 'link' | 'forbid';
  readonly lineIds: readonly string[];
  readonly expectationIds: readonly string[];
  readonly by: string;
  /** ISO 8601. Of two links that contradict each other the earlier holds. */
  readonly at: string;
  readonly revoked: boolean;
}

export type LineState = 'OPEN' | 'MATCHED' | 'MISMATCH' | 'KNOWN' | 'MISSING_INTERNAL';
export type ExpectationState = 'OPEN' | 'MATCHED' | 'MISMATCH' | 'MISSING_PROVIDER';

/** Why something stands alone. */
export type Reason =
  /** Nothing that it could be. */
  | 'unknown'
  /** Several that it could be, and nothing says which. */
  | 'ambiguous'
  /** Its reference is one that another line has been matched by: booked twice, or a further booking. */
  | 'reference_taken'
  /** It takes back a line that was not found. */
  | 'reversal_alone';
