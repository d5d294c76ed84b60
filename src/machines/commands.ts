import type { PaymentKind, ReversalReason } from './payment/payment.facts.ts';
import type { WalletType } from './account/account.facts.ts';

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
export type PaymentCommand = Pay | Authorize | Capture | Settle | Fail | Reverse;

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
export type Command = PaymentCommand | AccountCommand;
