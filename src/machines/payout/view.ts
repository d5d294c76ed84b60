import { formatMinor } from '../../kernel/money.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import { refusalRecorded } from '../payment/failure.ts';
import type { PaymentSnapshot } from '../payment/payment.machine.ts';
import type { PayoutStatus } from './payout.facts.ts';
import type { PayoutSnapshot } from './payout.machine.ts';
import type { SliceStatus } from './slice.machine.ts';

/** A payout as its own history has it. Amounts are decimal strings of minor units; what does not apply is absent. */
export interface PayoutView {
  readonly payoutId: string;
  readonly state: PayoutStatus;
  readonly version: number;
  readonly amount: string;
  readonly currency: string;
  readonly payer: string;
  readonly provider: string;
  readonly beneficiary: string;
  readonly rail?: string;
  readonly slices: readonly { readonly paymentId: string; readonly amount: string }[];
  /** Why it was CANCELLED. */
  readonly cancelled?: string;
  /** Why it FAILED, as the refusal that was given. */
  readonly failure?: Refusal;
}

export function payoutView({ value, context }: PayoutSnapshot): PayoutView {
  const { payoutId, version, amount, currency, payer, provider, beneficiary, rail, slices, reason, details } = context;
  return {
    payoutId,
    state: value,
    version,
    amount: formatMinor(amount),
    currency,
    payer,
    provider,
    beneficiary,
    ...(rail !== undefined && { rail }),
    slices: slices.map((slice) => ({ paymentId: slice.paymentId, amount: formatMinor(slice.amount) })),
    ...(value === 'CANCELLED' && reason !== undefined && { cancelled: reason }),
    ...(value === 'FAILED' && reason !== undefined && { failure: refusalRecorded(reason, details) }),
  };
}

/** The refusal that a FAILED payout stands for. */
export function refusalOfFailedPayout({ value, context }: PayoutSnapshot): Refusal | undefined {
  if (value !== 'FAILED' || context.reason === undefined) return undefined;
  return refusalRecorded(context.reason, context.details);
}

/** The status of a slice: how far it is with its provider, or how it ended without one. */
export function sliceStatusOf({ value, context }: PaymentSnapshot): SliceStatus {
  switch (value) {
    case 'SETTLED':
      return 'settled';
    case 'FAILED':
    case 'REVERSED':
      return 'failed';
    case 'CAPTURED': {
      // A person may have captured it after an attempt that came to nothing: its money is on its way all the same.
      const status = context.transfer?.status ?? 'pending';
      return status === 'pending' ? 'sent' : status;
    }
    case 'INITIATED':
    case 'AUTHORIZED':
      return context.transfer?.status ?? 'pending';
  }
}
