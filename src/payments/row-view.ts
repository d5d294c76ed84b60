import { formatMinor } from '../kernel/money.ts';
import type { PaymentKind, PaymentStatus } from '../machines/payment/payment.facts.ts';
import type { PaymentView } from '../machines/payment/view.ts';
import type { PaymentRow } from '../projections/queries.ts';

/** A payment as its row in the projection has it: the same view as the payment itself gives, but for why it FAILED. */
export function viewOfRow(row: PaymentRow): PaymentView {
  const { status, payer, payee, provider, original, payout, beneficiary, rail, expiresAt, settlesAt, reason } = row;
  return {
    paymentId: row.id,
    kind: row.kind as PaymentKind,
    status: status as PaymentStatus,
    version: row.version,
    amount: formatMinor(row.amount),
    currency: row.currency,
    authorized: formatMinor(row.authorized),
    captured: formatMinor(row.captured),
    refunded: formatMinor(row.refunded),
    fee: formatMinor(row.fee),
    providerFee: formatMinor(row.providerFee),
    ...(payer !== undefined && { payer }),
    ...(payee !== undefined && { payee }),
    ...(provider !== undefined && { provider }),
    ...(original !== undefined && { original }),
    ...(payout !== undefined && { payout }),
    ...(beneficiary !== undefined && { beneficiary }),
    ...(rail !== undefined && { rail }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(settlesAt !== undefined && { settlesAt }),
    ...(status === 'REVERSED' && reason !== undefined && { reversed: reason }),
  };
}
