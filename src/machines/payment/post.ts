import { formatMinor } from '../../kernel/money.ts';
import type { EntryStep } from '../account/account.facts.ts';
import { entryPosted, holdReleased } from '../account/moves.ts';
import type { Unit } from '../unit.ts';
import type { PaymentContext } from './payment.machine.ts';
import { amountOf, systemAccountId, type Posting, type SystemSide } from './postings.ts';

interface Options {
  /** The hold that the payer's entry consumes: all that the wallet holds for this payment. */
  readonly released?: bigint;
  /** Wallets take these entries even below their limit and frozen: the outcome is proven. */
  readonly forced?: boolean;
}

/**
 * Posts the rows of the table for one step of a payment.
 *
 * @param payment as it is after the step: N, f and c are read from it
 */
export function post(
  unit: Unit,
  payment: PaymentContext,
  step: EntryStep,
  rows: readonly Posting[],
  { released = 0n, forced = false }: Options = {},
): void {
  for (const { direction, side, figure } of rows) {
    const figureAmount = amountOf(figure, payment);
    if (figureAmount === 0n) continue;
    const amount = direction === 'Cr' ? figureAmount : -figureAmount;
    if (side === 'payer' || side === 'payee') {
      postToWallet(unit, payment, step, payment[side] ?? '', amount, side === 'payer' ? released : 0n, forced);
    } else {
      postToSystem(unit, payment, step, side, amount);
    }
  }
}

/** Money for a wallet that was closed meanwhile waits in suspense, and says whose it is. */
function postToWallet(
  unit: Unit,
  payment: PaymentContext,
  step: EntryStep,
  accountId: string,
  amount: bigint,
  released: bigint,
  forced: boolean,
): void {
  const wallet = unit.wallet(accountId);
  if (wallet.value === 'CLOSED') {
    postToSystem(unit, payment, step, 'suspense', amount, accountId);
    return;
  }
  const terms = { paymentId: payment.paymentId, step, amount, released, forced: forced && amount < 0n };
  unit.walletFact(accountId, entryPosted(wallet, terms));
}

function postToSystem(
  unit: Unit,
  { paymentId, currency, provider }: PaymentContext,
  step: EntryStep,
  side: SystemSide,
  amount: bigint,
  diverted?: string,
): void {
  const entry = { type: 'EntryPosted', paymentId, step, amount: formatMinor(amount), currency } as const;
  const id = systemAccountId(side, currency, provider);
  unit.systemEntry(id, diverted === undefined ? entry : { ...entry, diverted });
}

/**
 * Ends a payment that moved no money: what the payer's wallet holds for it is free again, and so is what a refund had
 * reserved of the payment that it was to give back.
 *
 * @param payment as it was before it ended
 */
export function release(unit: Unit, payment: PaymentContext, step: 'FAILED' | 'REVERSED'): void {
  const { paymentId, payer, held } = payment;
  if (held > 0n && payer !== undefined) {
    unit.walletFact(payer, holdReleased(unit.wallet(payer), paymentId, held, step));
  }
  if (payment.original !== undefined) releaseShare(unit, payment, payment.original, payment.amount);
}

/** Gives back (a part of) what a refund had reserved on its original. */
export function releaseShare(unit: Unit, refund: PaymentContext, original: string, amount: bigint): void {
  unit.payment(original, [{ type: 'RefundReleased', refund: refund.paymentId, amount: formatMinor(amount) }]);
}
