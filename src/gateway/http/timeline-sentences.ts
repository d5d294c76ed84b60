import { formatDecimal } from '../../kernel/money.ts';
import type { PaymentFact } from '../../machines/payment/payment.facts.ts';
import type { PaymentView } from '../../machines/payment/view.ts';
import type { TimelineRow } from '../../payments/index.ts';
import type { Eyes } from './visible-payment.ts';
import { problemKinds } from './problem-map.ts';

/** What happened to a payment, one sentence a fact, for whoever answers the phone. */
export function sentenceOf({ fact, data }: TimelineRow, view: PaymentView, eyes: Eyes): string {
  const { kind, currency, payer = '', payee = '', provider = '' } = view;
  const money = (minor: string): string => `${formatDecimal(BigInt(minor), currency)} ${currency}`;
  // The types of what is in the log are the machines' word.
  const known = { ...data, type: fact } as unknown as PaymentFact;
  const by = (connector: string): string => (eyes.everything ? `, through ${connector}` : '');
  const because = (reason: string): string => (eyes.everything ? ` (${reason})` : '');
  switch (known.type) {
    case 'PaymentInitiated':
      return `${intentions[kind](money(known.amount), view)} was asked for.`;
    case 'PaymentAuthorized':
      if (known.held === '0') return 'It was agreed to; nothing is held for it.';
      return `${money(known.held)} is held on account ${payer}${until(known.expiresAt)}.`;
    case 'PaymentCaptured':
      return `${captures[kind](money(known.amount), { payer, payee, provider })}${due(known.settlesAt)}.`;
    case 'PaymentSettled':
      return `${settled(kind)}${fees(known.fee, known.providerFee, money, eyes)}.`;
    case 'PaymentFailed':
      return `It failed: ${failure(known, view, eyes, money)}. No money was moved by it.`;
    case 'PaymentReversed':
      return `It was called off because ${reversals[known.reason]}; what was held or taken went back.`;
    case 'RefundReserved':
      return `${money(known.amount)} of it is given back by the refund ${known.refund}.`;
    case 'RefundReleased':
      return `The refund ${known.refund} did not come about: its ${money(known.amount)} may be refunded again.`;
    case 'RefundRefused':
      return `The refund ${known.refund} of ${money(known.amount)} was refused: more than is left to give back.`;
    case 'InstructionIssued':
      return `${known.provider} is being told to do it${by(known.connector)}.`;
    case 'InstructionNotSent':
      return `It was not sent after all${because(known.reason)}: nothing can come of that attempt.`;
    case 'InstructionAccepted':
      return `${provider} has taken it on${eyes.everything ? `, as ${known.providerRef}` : ''}.`;
    case 'InstructionInDoubt':
      return `What became of it at ${provider} is not known${because(known.reason)}; it is being asked for.`;
    case 'InstructionConfirmed':
      return `${provider} has done it${eyes.everything ? `, as ${known.providerRef}` : ''}.`;
    case 'InstructionRefused':
      return `${provider} refused it${because(known.code)}; nothing was moved there.`;
    case 'InstructionUnresolved':
      return `${provider} cannot say what became of it${because(known.reason)}: people are looking into it.`;
    case 'ProviderContradicted':
      return `The provider now says "${known.said}", against what it said before; people are looking into it.`;
    case 'LateSuccessPosted':
      return `${known.provider} has carried it out although it had ended; the money waits until people have looked into it.`;
    case 'ProviderFeeCorrected':
      return `The provider's fee was corrected${eyes.everything ? `: it is ${money(known.providerFee)}` : ''}.`;
    case 'SettlementOverdue':
      return `${provider} has not settled it by ${minuteOf(known.settlesAt)} UTC, as it should have.`;
  }
}

const intentions: Readonly<Record<PaymentView['kind'], (money: string, view: PaymentView) => string>> = {
  P2P: (money, { payer, payee }) => `A transfer of ${money} from account ${payer ?? ''} to account ${payee ?? ''}`,
  CASH_IN: (money, { payee, provider }) => `A cash-in of ${money} to account ${payee ?? ''} through ${provider ?? ''}`,
  CASH_OUT: (money, { payer, provider }) =>
    `A cash-out of ${money} from account ${payer ?? ''} through ${provider ?? ''}`,
  MERCHANT: (money, { payer, payee }) =>
    `A purchase of ${money} by account ${payer ?? ''} from merchant ${payee ?? ''}`,
  REFUND: (money, { original, payer, payee }) =>
    `A refund of ${money} of the purchase ${original ?? ''}, from merchant ${payer ?? ''} to account ${payee ?? ''},`,
  FUNDING: (money, { payee, provider }) => `Funding of ${money} for the treasury ${payee ?? ''} by ${provider ?? ''}`,
  PAYOUT: (money, { payer, provider }) =>
    `A slice of ${money} of a payout from ${payer ?? ''} through ${provider ?? ''}`,
  PAYOUT_RETURN: (money, { payee, original }) =>
    `The return of ${money} of the payout slice ${original ?? ''} to the treasury ${payee ?? ''}`,
  STATEMENT_FEE: (money, { provider }) => `A fee of ${money} on a statement of ${provider ?? ''}`,
  STATEMENT_INTEREST: (money, { provider }) => `Interest of ${money} on a statement of ${provider ?? ''}`,
  UNIDENTIFIED_CREDIT: (money, { provider }) => `${money} on a statement of ${provider ?? ''} that is nobody's payment`,
  UNIDENTIFIED_DEBIT: (money, { provider }) => `${money} off a statement of ${provider ?? ''} that is nobody's payment`,
  LATE_COLLECTION: (money, { provider }) => `${money} from ${provider ?? ''} of a collection that had ended`,
  CORRECTION_CREDIT: (money, { payee }) => `A correction of ${money} from suspense to account ${payee ?? ''}`,
  CORRECTION_DEBIT: (money, { payer }) => `A correction of ${money} from account ${payer ?? ''} to suspense`,
  WRITE_OFF_LOSS: (money) => `A write-off of ${money} as a loss`,
  WRITE_OFF_GAIN: (money) => `A write-off of ${money} as income`,
};

type Parties = Readonly<Record<'payer' | 'payee' | 'provider', string>>;
const captures: Readonly<Record<PaymentView['kind'], (money: string, parties: Parties) => string>> = {
  P2P: (money, { payer, payee }) => `${money} went from account ${payer} to account ${payee}`,
  CASH_IN: (money, { payee, provider }) => `${money} was put on account ${payee}; ${provider} owes it to us`,
  CASH_OUT: (money, { payer, provider }) => `${money} was taken from account ${payer}; we owe it to ${provider}`,
  MERCHANT: (money, { payer }) => `${money} was taken from account ${payer} and waits to be paid to the merchant`,
  REFUND: (money, { payer, payee }) => `${money} went back from merchant ${payer} to account ${payee}`,
  FUNDING: (money, { payee, provider }) => `${money} that ${provider} has received was put on the treasury ${payee}`,
  PAYOUT: (money, { payer, provider }) => `${money} was taken from the treasury ${payer}; we owe it to ${provider}`,
  PAYOUT_RETURN: (money, { payee, provider }) => `${money} that ${provider} got back was put on the treasury ${payee}`,
  STATEMENT_FEE: (money, { provider }) => `${provider} took a fee of ${money}, as its statement says`,
  STATEMENT_INTEREST: (money, { provider }) => `${provider} paid interest of ${money}, as its statement says`,
  UNIDENTIFIED_CREDIT: (money, { provider }) => `${money} came to our account at ${provider}; it waits in suspense`,
  UNIDENTIFIED_DEBIT: (money, { provider }) => `${money} left our account at ${provider}; it stands in suspense`,
  LATE_COLLECTION: (money, { provider }) => `${provider} paid us ${money} of a collection that had ended`,
  CORRECTION_CREDIT: (money, { payee }) => `${money} was put on ${payee} out of suspense`,
  CORRECTION_DEBIT: (money, { payer }) => `${money} was taken from ${payer} into suspense`,
  WRITE_OFF_LOSS: (money) => `${money} in suspense was written off as a loss`,
  WRITE_OFF_GAIN: (money) => `${money} in suspense was written off as income`,
};

const reversals = {
  requested: 'somebody asked for it',
  expired: 'the time for it was over',
  provider: 'the provider said so',
} as const;

function settled(kind: PaymentView['kind']): string {
  switch (kind) {
    case 'MERCHANT':
      return 'The merchant was paid';
    case 'CASH_IN':
    case 'CASH_OUT':
    case 'PAYOUT':
      return 'The provider has confirmed it: it is final';
    case 'P2P':
    case 'REFUND':
    case 'FUNDING':
    case 'PAYOUT_RETURN':
    case 'STATEMENT_FEE':
    case 'STATEMENT_INTEREST':
    case 'UNIDENTIFIED_CREDIT':
    case 'UNIDENTIFIED_DEBIT':
    case 'LATE_COLLECTION':
    case 'CORRECTION_CREDIT':
    case 'CORRECTION_DEBIT':
    case 'WRITE_OFF_LOSS':
    case 'WRITE_OFF_GAIN':
      return 'It is final';
  }
}

function fees(fee: string, providerFee: string, money: (minor: string) => string, eyes: Eyes): string {
  const ours = fee !== '0' && (eyes.everything || eyes.isPaidTo) ? `; our fee was ${money(fee)}` : '';
  const theirs = providerFee !== '0' && eyes.everything ? `; the provider took ${money(providerFee)}` : '';
  return ours + theirs;
}

function failure(
  { cause, reason, details = {} }: Extract<PaymentFact, { type: 'PaymentFailed' }>,
  { payer, payee }: PaymentView,
  eyes: Eyes,
  money: (minor: string) => string,
): string {
  // Somebody's word: nothing in it was checked but its length.
  if (cause === 'requested') return `somebody ended it, with the words "${reason}"`;
  const { accountId, available, asked, refundable } = details;
  const concerns = eyes.everything || (accountId === payer && eyes.paysFrom) || (accountId === payee && eyes.isPaidTo);
  if (reason === 'InsufficientFunds' && available !== undefined && asked !== undefined && concerns) {
    return `account ${accountId ?? ''} had ${money(available)} available and ${money(asked)} was asked for`;
  }
  if (reason === 'RefundExceedsCaptured' && refundable !== undefined) {
    return `only ${money(refundable)} could still be refunded`;
  }
  const known = (problemKinds as Readonly<Record<string, { readonly title: string } | undefined>>)[reason];
  return known === undefined ? reason : known.title.toLowerCase();
}

function until(instant: string | undefined): string {
  return instant === undefined ? '' : `, until ${minuteOf(instant)} UTC at the latest`;
}

function due(instant: string | undefined): string {
  return instant === undefined ? '' : `; settlement is due by ${minuteOf(instant)} UTC`;
}

/** `2026-03-01 12:34` */
function minuteOf(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ');
}
