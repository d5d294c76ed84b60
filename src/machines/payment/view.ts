import { formatMinor } from '../../kernel/money.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import { refusalOfFailed } from './failure.ts';
import type { PaymentKind, PaymentStatus } from './payment.facts.ts';
import type { PaymentSnapshot } from './payment.machine.ts';

/** A payment as people and programs see it. Amounts are decimal strings of minor units; what does not apply is absent. */
export interface PaymentView {
  readonly paymentId: string;
  readonly kind: PaymentKind;
  readonly status: PaymentStatus;
  readonly version: number;
  readonly amount: string;
  readonly currency: string;
  readonly payer?: string;
  readonly payee?: string;
  readonly provider?: string;
  readonly original?: string;
  /** The payout that it is a slice of. */
  readonly payout?: string;
  readonly beneficiary?: string;
  readonly rail?: string;
  readonly authorized: string;
  readonly captured: string;
  readonly refunded: string;
  readonly fee: string;
  readonly providerFee: string;
  readonly expiresAt?: string;
  readonly settlesAt?: string;
  /** Why it was REVERSED. */
  readonly reversed?: string;
  /** Why it FAILED, as the refusal that was given. */
  readonly failure?: Refusal;
}

export function paymentView(payment: PaymentSnapshot): PaymentView {
  const { value, context } = payment;
  const view: { -readonly [Field in keyof PaymentView]: PaymentView[Field] } = {
    paymentId: context.paymentId,
    kind: context.kind,
    status: value,
    version: context.version,
    amount: formatMinor(context.amount),
    currency: context.currency,
    authorized: formatMinor(context.authorized),
    captured: formatMinor(context.captured),
    refunded: formatMinor(context.refunded),
    fee: formatMinor(context.fee),
    providerFee: formatMinor(context.providerFee),
  };
  // One by one: every payment that is answered comes through here.
  if (context.payer !== undefined) view.payer = context.payer;
  if (context.payee !== undefined) view.payee = context.payee;
  if (context.provider !== undefined) view.provider = context.provider;
  if (context.original !== undefined) view.original = context.original;
  if (context.route !== undefined) {
    const { payout, beneficiary, rail } = context.route;
    if (payout !== undefined) view.payout = payout;
    if (beneficiary !== undefined) view.beneficiary = beneficiary;
    if (rail !== undefined) view.rail = rail;
  }
  if (context.expiresAt !== undefined) view.expiresAt = context.expiresAt;
  if (context.settlesAt !== undefined) view.settlesAt = context.settlesAt;
  if (value === 'REVERSED' && context.reason !== undefined) view.reversed = context.reason;
  const failure = refusalOfFailed(payment);
  if (failure !== undefined) view.failure = failure;
  return view;
}
