import type { Refusal } from '../kernel/refusal.ts';
import type { PaymentFact } from '../machines/payment/payment.facts.ts';
import { timeText, moneyText } from './money-text.ts';
import type { TimelineStep } from '../projections/ledger-queries.ts';

/** Why a payment failed, with amounts as people read them; the refusal's own sentence has minor units. */
export function describeFailure(refusal: Refusal, currency: string): string {
  const money = (minor: string): string => moneyText(minor, currency);
  if (refusal.code === 'InsufficientFunds') {
    const { accountId, available, asked } = refusal;
    return `insufficient funds: account ${accountId} had ${money(available)} available, ${money(asked)} was asked`;
  }
  if (refusal.code === 'RefundExceedsCaptured') {
    return `${money(refusal.refundable)} could still be refunded, ${money(refusal.asked)} was asked`;
  }
  return refusal.message;
}

/** What a fact says, in a few words; the state stands beside it. */
export function describeStep({ fact, data }: Pick<TimelineStep, 'fact' | 'data'>, currency: string): string {
  const money = (minor: string): string => moneyText(minor, currency);
  // The types of what is in the log are the machines' word.
  const known = { ...data, type: fact } as unknown as PaymentFact;
  switch (known.type) {
    case 'PaymentInitiated':
      return `${known.kind} of ${money(known.amount)}`;
    case 'PaymentAuthorized':
      if (known.held === '0') return 'agreed, nothing is held';
      return `${money(known.held)} held${known.expiresAt === undefined ? '' : ` until ${timeText(known.expiresAt)}`}`;
    case 'PaymentCaptured':
      return `${money(known.amount)} taken${known.settlesAt === undefined ? '' : `, settlement due ${timeText(known.settlesAt)}`}`;
    case 'PaymentSettled':
      return known.fee === '0' ? 'settled' : `settled, fee ${money(known.fee)}`;
    case 'PaymentFailed':
      return known.cause === 'refused' ? `refused: ${known.reason}` : `ended: ${known.reason}`;
    case 'PaymentReversed':
      return `reversed: ${known.reason}`;
    case 'RefundReserved':
      return `${money(known.amount)} goes back by ${known.refund}`;
    case 'RefundReleased':
      return `${money(known.amount)} does not go back after all (${known.refund})`;
    case 'RefundRefused':
      return `refund ${known.refund} of ${money(known.amount)} refused: ${known.reason}`;
    case 'InstructionIssued':
      return `${known.provider} is told, through ${known.connector} (attempt ${known.instruction})`;
    case 'InstructionNotSent':
      return `not sent: ${known.reason}`;
    case 'InstructionAccepted':
      return `taken on by the provider as ${known.providerRef}`;
    case 'InstructionInDoubt':
      return `in doubt: ${known.reason}`;
    case 'InstructionConfirmed':
      return `done by the provider as ${known.providerRef}`;
    case 'InstructionRefused':
      return `refused by the provider: ${known.code}`;
    case 'InstructionUnresolved':
      return `cannot be found out by asking: ${known.reason}`;
    case 'ProviderContradicted':
      return `the provider contradicts itself: ${known.said}`;
    case 'LateSuccessPosted':
      return `done by ${known.provider} although it had ended: in suspense`;
    case 'ProviderFeeCorrected':
      return `the provider's fee is ${money(known.providerFee)}`;
    case 'SettlementOverdue':
      return `not settled by ${timeText(known.settlesAt)}`;
  }
}
