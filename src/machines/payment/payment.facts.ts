/**
 * What can have happened to a payment. Facts are written to the log as they stand here: amounts are decimal strings of
 * minor units, instants are ISO 8601 in UTC, and nothing in them is personal.
 */
export type PaymentKind =
  'P2P' | 'CASH_IN' | 'CASH_OUT' | 'MERCHANT' | 'REFUND' | 'FUNDING' | 'PAYOUT' | 'PAYOUT_RETURN' | ReconciliationKind;
/** What reconciliation books: lines of statements that are nobody's payment, and what people decide about them. */
export type ReconciliationKind =
  | 'STATEMENT_FEE'
  | 'STATEMENT_INTEREST'
  | 'UNIDENTIFIED_CREDIT'
  | 'UNIDENTIFIED_DEBIT'
  | 'LATE_COLLECTION'
  | 'CORRECTION_CREDIT'
  | 'CORRECTION_DEBIT'
  | 'WRITE_OFF_LOSS'
  | 'WRITE_OFF_GAIN';
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
  /** Wallet that is debited (P2P, CASH_OUT, MERCHANT, REFUND, PAYOUT). */
  readonly payer?: string;
  /** Wallet that is credited (P2P, CASH_IN, MERCHANT, REFUND, FUNDING, PAYOUT_RETURN). */
  readonly payee?: string;
  /** Name of the provider (CASH_IN, CASH_OUT, FUNDING, PAYOUT, PAYOUT_RETURN): `cash`, `bank:AB` … */
  readonly provider?: string;
  /** The MERCHANT payment that a REFUND gives back, the PAYOUT slice that a PAYOUT_RETURN brings back. */
  readonly original?: string;
  /** The payout that a PAYOUT is a slice of. */
  readonly payout?: string;
  /** Whom the provider pays, or collects from: a reference that is the provider's to resolve, never a number or a name. */
  readonly beneficiary?: string;
  /** The rail that it has to go by, where that was asked. */
  readonly rail?: string;
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

/**
 * What is told to a connector, and what came of it, in the payment's own history (docs/in-doubt.md). `instruction` is the
 * number of the attempt, from 1.
 */
export interface InstructionIssued extends AppliedCommand {
  readonly type: 'InstructionIssued';
  readonly instruction: number;
  readonly connector: string;
  /** Whose accounts (`float:`, `payable:` …) move if this one is carried out. */
  readonly provider: string;
  /** Nothing is written to the provider at or after this. */
  readonly sendBefore: string;
  /**
   * From when on the same may be sent again, to the same connector with the same key, if the provider knows of nothing.
   * Absent: never, because the provider does not honour keys, or cannot be asked by ours.
   */
  readonly resendAt?: string;
}
/** The sender says that not a byte was written: nothing can come of it. */
export interface InstructionNotSent extends AppliedCommand {
  readonly type: 'InstructionNotSent';
  readonly instruction: number;
  readonly reason: string;
}
/** The provider has it, and answered with its reference. */
export interface InstructionAccepted extends AppliedCommand {
  readonly type: 'InstructionAccepted';
  readonly instruction: number;
  readonly providerRef: string;
}
/** Nobody knows what became of it: it is asked for until somebody does. */
export interface InstructionInDoubt extends AppliedCommand {
  readonly type: 'InstructionInDoubt';
  readonly instruction: number;
  readonly reason: string;
}
/** It was carried out: the money has moved. */
export interface InstructionConfirmed extends AppliedCommand {
  readonly type: 'InstructionConfirmed';
  readonly instruction: number;
  readonly providerRef: string;
}
/** A final "no" of the provider: nothing has moved, and nothing will. */
export interface InstructionRefused extends AppliedCommand {
  readonly type: 'InstructionRefused';
  readonly instruction: number;
  readonly code: string;
  /** Another connector may be asked. */
  readonly elsewhere: boolean;
}
/** What is in doubt cannot be found out by asking: statements or people must say it. */
export interface InstructionUnresolved extends AppliedCommand {
  readonly type: 'InstructionUnresolved';
  readonly instruction: number;
  readonly reason: string;
}
/** The provider says the contrary of what it said before, and what it said before was acted on. Changes no figure. */
export interface ProviderContradicted extends AppliedCommand {
  readonly type: 'ProviderContradicted';
  readonly instruction: number;
  readonly said: string;
}
/** The provider carried out what had ended without it: the money waits in suspense for people. */
export interface LateSuccessPosted extends AppliedCommand {
  readonly type: 'LateSuccessPosted';
  readonly instruction: number;
  readonly provider: string;
  readonly providerRef: string;
  readonly providerFee: string;
}
/** A later proof says another fee than the one that settled: the difference is posted. */
export interface ProviderFeeCorrected extends AppliedCommand {
  readonly type: 'ProviderFeeCorrected';
  /** c, from now on. */
  readonly providerFee: string;
}
/** The provider has not settled by `settlesAt`. Changes no figure: only a proof settles what is with a provider. */
export interface SettlementOverdue extends AppliedCommand {
  readonly type: 'SettlementOverdue';
  readonly settlesAt: string;
}

export type InstructionFact =
  | InstructionIssued
  | InstructionNotSent
  | InstructionAccepted
  | InstructionInDoubt
  | InstructionConfirmed
  | InstructionRefused
  | InstructionUnresolved;

export type PaymentFact =
  | InstructionFact
  | ProviderContradicted
  | LateSuccessPosted
  | ProviderFeeCorrected
  | SettlementOverdue
  | PaymentInitiated
  | PaymentAuthorized
  | PaymentCaptured
  | PaymentSettled
  | PaymentFailed
  | PaymentReversed
  | RefundReserved
  | RefundReleased
  | RefundRefused;
