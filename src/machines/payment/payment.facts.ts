/**
 * What can have happened to a payment. Facts are written to the log as they stand here: amounts are decimal strings of
 * minor units, instants are ISO 8601 in UTC, and nothing in them is personal.
 */
export type PaymentKind = 'P2P' | 'CASH_IN' | 'CASH_OUT' | 'MERCHANT' | 'REFUND' | 'FUNDING';
export type PaymentStatus = 'INITIATED' | 'AUTHORIZED' | 'CAPTURED' | 'SETTLED' | 'FAILED' | 'REVERSED';
export type ReversalReason = 'requested' | 'expired' | 'provider';
/** Who ended a payment before it moved money: we, who refused it, or a person or provider, who asked for it (`Fail`). */
export type FailureCause = 'refused' | 'requested';

/** Carried by the first fact that a command leaves on a payment: what the payment remembers of the command, for ever. */
export interface AppliedCommand {
  readonly commandId?: string;
  /** Hash of operation, target and body: the same key with another body is refused by it. */
  readonly fingerprint?: string;
  /** How many facts of this payment the command's unit holds: a duplicate is answered from the state after them. */
  readonly facts?: number;
}

export interface PaymentInitiated extends AppliedCommand {
  readonly type: 'PaymentInitiated';
  readonly kind: PaymentKind;
  readonly amount: string;
  readonly currency: string;
  /** Wallet that is debited (P2P, CASH_OUT, MERCHANT, REFUND). */
  readonly payer?: string;
  /** Wallet that is credited (P2P, CASH_IN, MERCHANT, REFUND, FUNDING). */
  readonly payee?: string;
  /** Name of the provider (CASH_IN, CASH_OUT, FUNDING): `cash`, `bank:AB` … */
  readonly provider?: string;
  /** The MERCHANT payment that a REFUND gives back. */
  readonly original?: string;
  /** Our fee in basis points, as the merchant's account had it when the payment was made (MERCHANT). */
  readonly feeBps?: number;
}
export interface PaymentAuthorized extends AppliedCommand {
  readonly type: 'PaymentAuthorized';
  /** Amount held on the payer; "0" for kinds that hold nothing, and when the hold is consumed in the same unit. */
  readonly held: string;
  /** When the hold is released if nothing has captured it. Absent when nothing is held. */
  readonly expiresAt?: string;
}
export interface PaymentCaptured extends AppliedCommand {
  readonly type: 'PaymentCaptured';
  /** Amount captured, at most the amount authorized. What was held above it is released. */
  readonly amount: string;
  /** When settlement is due (J+1): MERCHANT settles by it. */
  readonly settlesAt?: string;
}
export interface PaymentSettled extends AppliedCommand {
  readonly type: 'PaymentSettled';
  /** f: our fee, kept from the merchant. */
  readonly fee: string;
  /** c: what the provider charged us. */
  readonly providerFee: string;
}
export interface PaymentFailed extends AppliedCommand {
  readonly type: 'PaymentFailed';
  readonly cause: FailureCause;
  /** `refused`: the refusal's code (`InsufficientFunds` …). `requested`: the words of whoever asked for it. */
  readonly reason: string;
  /** `refused`: the figures that explain the refusal (`available`, `asked` …). */
  readonly details?: Readonly<Record<string, string>>;
}
export interface PaymentReversed extends AppliedCommand {
  readonly type: 'PaymentReversed';
  readonly reason: ReversalReason;
}
/** On the original MERCHANT payment: a REFUND of it took its share of what may still be refunded. */
export interface RefundReserved extends AppliedCommand {
  readonly type: 'RefundReserved';
  readonly refund: string;
  readonly amount: string;
}
/** On the original: a REFUND failed or was reversed, its share may be refunded again. */
export interface RefundReleased extends AppliedCommand {
  readonly type: 'RefundReleased';
  readonly refund: string;
  readonly amount: string;
}
/** On the original: a REFUND was refused because of it. Changes no figure; its version fences the refusal. */
export interface RefundRefused extends AppliedCommand {
  readonly type: 'RefundRefused';
  readonly refund: string;
  readonly amount: string;
  readonly reason: string;
}
export type PaymentFact =
  | PaymentInitiated
  | PaymentAuthorized
  | PaymentCaptured
  | PaymentSettled
  | PaymentFailed
  | PaymentReversed
  | RefundReserved
  | RefundReleased
  | RefundRefused;
