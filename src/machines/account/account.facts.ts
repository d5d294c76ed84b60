import type { ConnectorFigures } from '../connector/connector.facts.ts';

/**
 * What can have happened to an account. Every fact of a wallet carries the wallet as it is *after* it, so that waking a
 * wallet reads one row of the log. Amounts are decimal strings of minor units; credit is positive.
 */
export type WalletType = 'customer' | 'merchant' | 'treasury';
export type AccountStatus = 'OPEN' | 'FROZEN' | 'CLOSED';

/** The step of a payment that moved the money: the state that the payment reached by it. */
export type EntryStep =
  | 'AUTHORIZED'
  | 'CAPTURED'
  | 'SETTLED'
  | 'FAILED'
  | 'REVERSED'
  /** The provider carried out what had ended without it (`LateSuccessPosted`). */
  | 'LATE'
  /** The provider took another fee than was posted (`ProviderFeeCorrected`). */
  | 'FEE';

/** The wallet after the fact. posted − held ≥ −limit, forced entries aside. */
export interface WalletFigures {
  readonly type: WalletType;
  readonly currency: string;
  readonly status: AccountStatus;
  readonly posted: string;
  readonly held: string;
  readonly limit: string;
  /** Merchants only: our fee in basis points. */
  readonly feeBps?: number;
  /** Whose wallet it is: `user:<id>`, never a name. Said when it is opened, and never changed. Absent: nobody's of ours. */
  readonly owner?: string;
}

interface WalletFactBase {
  readonly after: WalletFigures;
}
export interface AccountOpened extends WalletFactBase {
  readonly type: 'AccountOpened';
}
export interface AccountFrozen extends WalletFactBase {
  readonly type: 'AccountFrozen';
  readonly reason: string;
}
export interface AccountUnfrozen extends WalletFactBase {
  readonly type: 'AccountUnfrozen';
  readonly reason: string;
}
export interface AccountClosed extends WalletFactBase {
  readonly type: 'AccountClosed';
  readonly reason: string;
}
export interface AccountLimitSet extends WalletFactBase {
  readonly type: 'AccountLimitSet';
  readonly reason: string;
}
export interface HoldPlaced extends WalletFactBase {
  readonly type: 'HoldPlaced';
  readonly paymentId: string;
  readonly amount: string;
}
export interface HoldReleased extends WalletFactBase {
  readonly type: 'HoldReleased';
  readonly paymentId: string;
  readonly amount: string;
  readonly step: EntryStep;
}
export interface WalletEntryPosted extends WalletFactBase {
  readonly type: 'EntryPosted';
  readonly paymentId: string;
  readonly step: EntryStep;
  readonly amount: string;
  readonly currency: string;
  /** Part of the payment's hold that this entry consumes and releases; absent when it had none. */
  readonly released?: string;
  /** Present and true: posted although it may take the wallet below its limit (a proven outcome). */
  readonly forced?: true;
}
/** A payment was refused because of this wallet. Changes no figure; its version fences the refusal. */
export interface PaymentRefused extends WalletFactBase {
  readonly type: 'PaymentRefused';
  readonly paymentId: string;
  readonly reason: string;
}
export type WalletFact =
  | AccountOpened
  | AccountFrozen
  | AccountUnfrozen
  | AccountClosed
  | AccountLimitSet
  | HoldPlaced
  | HoldReleased
  | WalletEntryPosted
  | PaymentRefused;

/** The one fact of a system account: an entry. Its version and balance are not known before the log's lock is held. */
export interface SystemEntryPosted {
  readonly type: 'EntryPosted';
  readonly paymentId: string;
  readonly step: EntryStep;
  readonly amount: string;
  readonly currency: string;
  /** The wallet that should have had this entry but was closed: the money waits in suspense. */
  readonly diverted?: string;
}

/** On `request/<command id>`: a command on an account was carried out; its duplicate is answered from here. */
export interface RequestHandled {
  readonly type: 'RequestHandled';
  readonly fingerprint: string;
  readonly accountId: string;
  /** Version of the account after the command. */
  readonly version: number;
  readonly after: WalletFigures;
}

/** The same for a command on a payment that was there: the payment has the answer, this keeps its key from other targets. */
export interface StepHandled {
  readonly type: 'StepHandled';
  readonly fingerprint: string;
  readonly paymentId: string;
  /** Version of the payment after the command. */
  readonly version: number;
}

/** The same for a command on a payout. */
export interface PayoutHandled {
  readonly type: 'PayoutHandled';
  readonly fingerprint: string;
  readonly payoutId: string;
  /** Version of the payout after the command. */
  readonly version: number;
}

/** The same for a person's command on a connector. */
export interface ConnectorHandled {
  readonly type: 'ConnectorHandled';
  readonly fingerprint: string;
  readonly connectorId: string;
  readonly version: number;
  readonly after: ConnectorFigures;
}

/** What a command's own stream may hold. */
export type RequestFact = RequestHandled | StepHandled | PayoutHandled | ConnectorHandled;
