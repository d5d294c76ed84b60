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
  const failure = refusalOfFailed(payment);
  return {
    paymentId: context.paymentId,
    kind: context.kind,
    status: value,
    version: context.version,
    amount: formatMinor(context.amount),
    currency: context.currency,
    ...present('payer', context.payer),
    ...present('payee', context.payee),
    ...present('provider', context.provider),
    ...present('original', context.original),
    authorized: formatMinor(context.authorized),
    captured: formatMinor(context.captured),
    refunded: formatMinor(context.refunded),
    fee: formatMinor(context.fee),
    providerFee: formatMinor(context.providerFee),
    ...present('expiresAt', context.expiresAt),
    ...present('settlesAt', context.settlesAt),
    ...present('reversed', value === 'REVERSED' ? context.reason : undefined),
    ...present('failure', failure),
  };
}

/** A field that may be absent: `{}` rather than an undefined value, which JSON and TypeScript would tell apart. */
function present<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
}
