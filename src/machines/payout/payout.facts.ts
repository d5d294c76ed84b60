import type { AppliedCommand } from '../payment/payment.facts.ts';

/** A part of a payout: a payment of kind PAYOUT of its own, and one bank transaction. */
export interface SliceOf {
  readonly paymentId: string;
  readonly amount: string;
}

/** What can have happened to a payout. Where its money is, its slices say: nothing of that is repeated here. */
export interface PayoutCreated extends AppliedCommand {
  readonly type: 'PayoutCreated';
  readonly amount: string;
  readonly currency: string;
  /** The treasury wallet. */
  readonly payer: string;
  readonly provider: string;
  readonly beneficiary: string;
  readonly rail?: string;
  readonly slices: readonly SliceOf[];
}
/** It was refused, and holds nothing. */
export interface PayoutFailed extends AppliedCommand {
  readonly type: 'PayoutFailed';
  readonly reason: string;
  readonly details: Readonly<Record<string, string>>;
}
/** What was pending is pending no more; what is with a provider goes on to its end. */
export interface PayoutCancelled extends AppliedCommand {
  readonly type: 'PayoutCancelled';
  readonly reason: string;
  /** The slices that were cancelled now. */
  readonly slices: readonly string[];
}
export type PayoutFact = PayoutCreated | PayoutFailed | PayoutCancelled;
export type PayoutStatus = 'OPEN' | 'CANCELLED' | 'FAILED';
