import type { Static } from 'typebox';
import type { Refusal } from '../../kernel/refusal.ts';
import type { PaymentView } from '../../machines/payment/view.ts';
import { mayReadEverything, type PartyOwners } from '../access.ts';
import type { Principal } from '../principal.ts';
import { problemKinds } from './problem-map.ts';
import type { payment } from './schemas/payment.ts';

type Payment = Static<typeof payment>;

/**
 * What of a payment a caller may see. Staff and services see all of it. Of the two parties each sees what concerns it: our
 * fee is the payee's affair, what the provider takes is ours, and what the payer had on the account is the payer's.
 */
export interface Eyes {
  /** Staff and services. */
  readonly everything: boolean;
  readonly paysFrom: boolean;
  readonly isPaidTo: boolean;
}

export function eyesOf(principal: Principal, { payer, payee }: PartyOwners): Eyes {
  return {
    everything: mayReadEverything(principal, 'payments:read') || principal.roles.includes('service'),
    paysFrom: payer === principal.principal,
    isPaidTo: payee === principal.principal,
  };
}

export function visiblePayment({ fee, providerFee, failure, ...view }: PaymentView, eyes: Eyes): Payment {
  return {
    ...view,
    ...((eyes.everything || eyes.isPaidTo) && { fee }),
    ...(eyes.everything && { providerFee }),
    ...(failure !== undefined && { failure: visibleRefusal(failure, view, eyes) }),
  };
}

/** A refusal with its figures, for whom they concern; for others its code, and the sentence that everybody gets. */
export function visibleRefusal(
  refusal: Refusal,
  { payer, payee }: Pick<PaymentView, 'payer' | 'payee'>,
  eyes: Eyes,
): Refusal {
  // Which connector is at it is ours to know; whose account it was, theirs.
  if (eyes.everything || !('accountId' in refusal || 'connector' in refusal)) return refusal;
  const accountId = 'accountId' in refusal ? refusal.accountId : undefined;
  const concerns = (accountId === payer && eyes.paysFrom) || (accountId === payee && eyes.isPaidTo);
  if (accountId !== undefined && concerns) return refusal;
  // Without its figures it is no refusal of the core any more; it goes nowhere but out.
  return { code: refusal.code, message: problemKinds[refusal.code].title } as Refusal;
}
