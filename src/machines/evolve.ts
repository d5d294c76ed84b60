import type { WalletFact } from './account/account.facts.ts';
import { accountMachine, unopenedWallet, type WalletContext, type WalletSnapshot } from './account/account.machine.ts';
import { stepperOf } from './flat-machine.ts';
import type { PaymentFact } from './payment/payment.facts.ts';
import { paymentMachine, unmadePayment, type PaymentContext, type PaymentSnapshot } from './payment/payment.machine.ts';

/**
 * The one path by which a fact changes a state: the live run and the replay both come through here.
 *
 * Undefined stands for what does not exist yet. `'illegal'` means that the machine takes no such fact in this state: a
 * live decision never gets so far, and in the log it is a corruption.
 */
export function evolvePayment(
  snapshot: PaymentSnapshot | undefined,
  fact: PaymentFact,
  paymentId: string,
): PaymentSnapshot | 'illegal' {
  // A state that a fact led to is never NEW.
  return stepPayment(snapshot ?? unmadePayment(paymentId), fact) as PaymentSnapshot | 'illegal';
}

/** The same for a wallet. */
export function evolveWallet(
  snapshot: WalletSnapshot | undefined,
  fact: WalletFact,
  accountId: string,
): WalletSnapshot | 'illegal' {
  return stepWallet(snapshot ?? unopenedWallet(accountId), fact) as WalletSnapshot | 'illegal';
}

const stepPayment = stepperOf<PaymentContext, PaymentFact>(paymentMachine, unmadePayment('').context);
const stepWallet = stepperOf<WalletContext, WalletFact>(accountMachine, unopenedWallet('').context);
