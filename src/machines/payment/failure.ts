import type { Refusal } from '../../kernel/refusal.ts';
import {
  accountClosed,
  accountFrozen,
  insufficientFunds,
  paymentFailed,
  refundExceedsCaptured,
  type RecordedRefusal,
} from '../refusals.ts';
import type { PaymentFailed } from './payment.facts.ts';
import type { PaymentSnapshot } from './payment.machine.ts';

/** The fact that records a refusal. Its details are all that `refusalOfFailed` needs to say it again. */
export function failedBy(refusal: RecordedRefusal): PaymentFailed {
  const { code, message: _sentence, ...details } = refusal;
  return { type: 'PaymentFailed', cause: 'refused', reason: code, details };
}

/**
 * The refusal that a FAILED payment stands for, rebuilt from what was recorded, so that a retry gets the first answer
 * again. Undefined when the payment has not failed.
 */
export function refusalOfFailed({ value, context: { cause, reason, details } }: PaymentSnapshot): Refusal | undefined {
  if (value !== 'FAILED' || reason === undefined) return undefined;
  // Somebody's `Fail`, whatever its reason is called.
  if (cause !== 'refused' || details === undefined) return paymentFailed(reason);
  return refusalRecorded(reason, details);
}

/** A refusal from what was recorded of it. */
export function refusalRecorded(reason: string, details: Readonly<Record<string, string>> | undefined): Refusal {
  const {
    accountId = '',
    available = '',
    asked = '',
    refundable = '',
  } = (details ?? {}) as Record<string, string | undefined>;
  switch (reason as RecordedRefusal['code']) {
    case 'InsufficientFunds':
      return insufficientFunds(accountId, available, asked);
    case 'AccountFrozen':
      return accountFrozen(accountId);
    case 'AccountClosed':
      return accountClosed(accountId);
    case 'RefundExceedsCaptured':
      return refundExceedsCaptured(refundable, asked);
    default:
      return paymentFailed(reason);
  }
}
