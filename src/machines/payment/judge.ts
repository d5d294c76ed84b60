import { invariant } from '../../kernel/invariant.ts';
import { formatMinor } from '../../kernel/money.ts';
import { available, type WalletSnapshot } from '../account/account.machine.ts';
import { paymentRefused } from '../account/moves.ts';
import type { World } from '../decision.ts';
import {
  accountClosed,
  accountFrozen,
  insufficientFunds,
  refundExceedsCaptured,
  type RecordedRefusal,
} from '../refusals.ts';
import type { Unit } from '../unit.ts';
import type { PaymentSnapshot } from './payment.machine.ts';

/** The parties of a payment, as far as it has them. */
interface Parties {
  readonly payer: WalletSnapshot | undefined;
  readonly payee: WalletSnapshot | undefined;
}

/**
 * The wallet of a party of a payment that is there, which was opened before the payment was made. Who does not see it sees
 * an older state: nothing may be decided on that, least of all an authorization, which would hold nothing.
 */
export function partyOf(world: World, accountId: string | undefined): WalletSnapshot | undefined {
  if (accountId === undefined) return undefined;
  const wallet = world.wallet(accountId);
  invariant(wallet !== undefined, `a payment names wallet ${accountId}, which is not there`);
  return wallet;
}

/** CLOSED is for ever: no payment starts with a closed party. */
export function refuseClosed({ payer, payee }: Parties): RecordedRefusal | undefined {
  for (const party of [payer, payee]) {
    if (party?.value === 'CLOSED') return accountClosed(party.context.accountId);
  }
  return undefined;
}

/** Whether the payer's wallet, which is not closed, can give the amount now. A frozen payee may be credited. */
export function refuseDebit(payer: WalletSnapshot | undefined, amount: bigint): RecordedRefusal | undefined {
  if (payer === undefined) return undefined;
  const { accountId } = payer.context;
  if (payer.value === 'FROZEN') return accountFrozen(accountId);
  const free = available(payer.context);
  return free < amount ? insufficientFunds(accountId, formatMinor(free), formatMinor(amount)) : undefined;
}

/** Whether the original has so much left to give back. */
export function refuseShare(original: PaymentSnapshot | undefined, amount: bigint): RecordedRefusal | undefined {
  if (original === undefined) return undefined;
  const left = original.context.captured - original.context.refunded;
  return left < amount ? refundExceedsCaptured(formatMinor(left), formatMinor(amount)) : undefined;
}

/**
 * Notes a recorded refusal on the actor that it rests on, at its exact version. Without the note, a refusal decided on a
 * stale balance would stay for ever, though the payment was possible.
 */
export function noteRefusal(
  unit: Unit,
  refusal: RecordedRefusal,
  payment: { readonly id: string; readonly amount: bigint; readonly original: string | undefined },
): void {
  if (refusal.code !== 'RefundExceedsCaptured') {
    const wallet = unit.wallet(refusal.accountId);
    unit.walletFact(refusal.accountId, paymentRefused(wallet, payment.id, refusal.code));
  } else if (payment.original !== undefined) {
    const amount = formatMinor(payment.amount);
    unit.payment(payment.original, [{ type: 'RefundRefused', refund: payment.id, amount, reason: refusal.code }]);
  }
}
