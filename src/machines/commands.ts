import type { PaymentKind, ReversalReason } from './payment/payment.facts.ts';
import type { WalletType } from './account/account.facts.ts';
import type { BreakerState } from './connector/connector.facts.ts';

/**
 * What may be asked of the machines. A command is complete: ids, fingerprint and instants were made by the runtime, so
 * that deciding it twice on the same state gives the same facts. Amounts are minor units, instants ISO 8601 in UTC.
 */
interface Identified {
  /** Hash of (tenant, principal, idempotency key); for `Pay` it is the payment's id. */
  readonly commandId: string;
  /** Hash of operation, target and body. */
  readonly fingerprint: string;
}

/** How far `Pay` takes the payment in its one unit. P2P, REFUND and FUNDING settle with their capture. */
export type PayUpTo = 'INITIATED' | 'AUTHORIZED' | 'CAPTURED' | 'SETTLED';

/** Makes a payment and takes it up to a state. `Initiate` is `Pay` up to INITIATED, `Refund` is `Pay` of kind REFUND. */
export interface Pay extends Identified {
  readonly type: 'Pay';
  readonly paymentId: string;
  readonly kind: PaymentKind;
  readonly amount: bigint;
  /** Absent for a REFUND: payer, payee and currency are those of the original (given, they must agree with it). */
  readonly currency?: string;
  readonly payer?: string;
  readonly payee?: string;
  readonly provider?: string;
  /** Whom a provider pays, or collects from. Absent: whom the wallet stands for. */
  readonly beneficiary?: string;
  readonly rail?: string;
  readonly original?: string;
  readonly upTo: PayUpTo;
  /** Partial capture: at most `amount`. Absent: all of it. */
  readonly captureAmount?: bigint;
  readonly providerFee?: bigint;
  /** When a hold that stays after this unit expires. */
  readonly expiresAt: string;
  /** When settlement is due if this unit captures without settling. */
  readonly settlesAt: string;
}
export interface Authorize extends Identified {
  readonly type: 'Authorize';
  readonly paymentId: string;
  readonly expiresAt: string;
}
export interface Capture extends Identified {
  readonly type: 'Capture';
  readonly paymentId: string;
  /** At most the amount authorized. Absent: all of it. */
  readonly amount?: bigint;
  readonly settlesAt: string;
}
export interface Settle extends Identified {
  readonly type: 'Settle';
  readonly paymentId: string;
  readonly providerFee?: bigint;
}
export interface Fail extends Identified {
  readonly type: 'Fail';
  readonly paymentId: string;
  readonly reason: string;
}
export interface Reverse extends Identified {
  readonly type: 'Reverse';
  readonly paymentId: string;
  readonly reason: ReversalReason;
}

/** Tells a connector to do what the payment is for. The unit is the intent: nothing is sent before it is durable. */
export interface Instruct extends Identified {
  readonly type: 'Instruct';
  readonly paymentId: string;
  readonly connector: string;
  /** Whose accounts move. */
  readonly provider: string;
  readonly sendBefore: string;
  /** Absent: it may never be sent again. */
  readonly resendAt?: string;
}

/** What is known of an instruction, by whoever sent it, asked for it or was told of it. */
export type InstructionOutcome =
  | { readonly said: 'not sent'; readonly reason: string }
  | { readonly said: 'unknown'; readonly reason: string }
  | { readonly said: 'accepted'; readonly providerRef: string }
  /** Done. Of a CASH_IN: collected from the customer. */
  | { readonly said: 'confirmed'; readonly providerRef: string; readonly providerFee?: bigint }
  /** Done, and the money is on our account at the provider. */
  | { readonly said: 'settled'; readonly providerRef: string; readonly providerFee?: bigint }
  | { readonly said: 'refused'; readonly code: string; readonly elsewhere: boolean }
  /** It cannot be found out by asking. */
  | { readonly said: 'unresolvable'; readonly reason: string };

export interface RecordOutcome extends Identified {
  readonly type: 'RecordOutcome';
  readonly paymentId: string;
  /** The attempt's number; 0: the newest one, by the word of people. */
  readonly instruction: number;
  readonly outcome: InstructionOutcome;
  /** When settlement is due, if this captures without settling. */
  readonly settlesAt: string;
}
/** The deadline of a captured payment: MERCHANT settles by it, a provider's is overdue. */
export interface MeetSettlement extends Identified {
  readonly type: 'MeetSettlement';
  readonly paymentId: string;
}
export type PaymentCommand =
  Pay | Authorize | Capture | Settle | Fail | Reverse | Instruct | RecordOutcome | MeetSettlement;

/** Pays from a treasury by a provider, in as many slices as its rails need. */
export interface CreatePayout extends Identified {
  readonly type: 'CreatePayout';
  readonly payoutId: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly payer: string;
  readonly provider: string;
  readonly beneficiary: string;
  readonly rail?: string;
  /** What one bank transaction may be. */
  readonly sliceMin: bigint;
  readonly sliceMax: bigint;
  /** When the holds of slices that nobody has sent expire. */
  readonly expiresAt: string;
}
/** Cancels the slices that no provider has. */
export interface CancelPayout extends Identified {
  readonly type: 'CancelPayout';
  readonly payoutId: string;
  readonly reason: string;
}
export type PayoutCommand = CreatePayout | CancelPayout;

interface OnConnector extends Identified {
  readonly connectorId: string;
}
export interface OpenBreaker extends OnConnector {
  readonly type: 'OpenBreaker';
  readonly failures: number;
  readonly reason: string;
  readonly openUntil: string;
}
export interface HalfOpenBreaker extends OnConnector {
  readonly type: 'HalfOpenBreaker';
}
export interface CloseBreaker extends OnConnector {
  readonly type: 'CloseBreaker';
  readonly successes: number;
}
/** A person's word. */
export interface ForceBreaker extends OnConnector {
  readonly type: 'ForceBreaker';
  readonly state: Exclude<BreakerState, 'HALF_OPEN'>;
  readonly reason: string;
}
export type ConnectorCommand = OpenBreaker | HalfOpenBreaker | CloseBreaker | ForceBreaker;

export interface OpenAccount extends Identified {
  readonly type: 'OpenAccount';
  readonly accountId: string;
  readonly walletType: WalletType;
  readonly currency: string;
  readonly limit?: bigint;
  readonly feeBps?: number;
  /** Whose wallet it is: `user:<id>`. */
  readonly owner?: string;
}
export interface FreezeAccount extends Identified {
  readonly type: 'FreezeAccount';
  readonly accountId: string;
  readonly reason: string;
}
export interface UnfreezeAccount extends Identified {
  readonly type: 'UnfreezeAccount';
  readonly accountId: string;
  readonly reason: string;
}
export interface CloseAccount extends Identified {
  readonly type: 'CloseAccount';
  readonly accountId: string;
  readonly reason: string;
  /** Payments that name the account and are not final, as far as the caller could see (a courtesy: projections lag). */
  readonly openPayments: number;
}
export interface SetLimit extends Identified {
  readonly type: 'SetLimit';
  readonly accountId: string;
  readonly limit: bigint;
  readonly reason: string;
}
export type AccountCommand = OpenAccount | FreezeAccount | UnfreezeAccount | CloseAccount | SetLimit;
export type Command = PaymentCommand | AccountCommand | PayoutCommand | ConnectorCommand;
