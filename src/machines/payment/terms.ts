import { AMOUNT_MAX } from '../../kernel/money.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import type { WalletType } from '../account/account.facts.ts';
import type { WalletSnapshot } from '../account/account.machine.ts';
import type { Pay } from '../commands.ts';
import type { World } from '../decision.ts';
import { invalid, notFound } from '../refusals.ts';
import type { PaymentSnapshot } from './payment.machine.ts';
import { POSTINGS, type PostingsOfKind } from './postings.ts';

/** What a valid `Pay` is about: the parties are there, and are what its kind asks for. */
export interface Terms {
  readonly rules: PostingsOfKind;
  readonly currency: string;
  readonly payer: WalletSnapshot | undefined;
  readonly payee: WalletSnapshot | undefined;
  readonly original: PaymentSnapshot | undefined;
}

/** Ids that a `Pay` names, its own or its original's. */
export interface Named {
  readonly payer: string | undefined;
  readonly payee: string | undefined;
  readonly currency: string | undefined;
}

/** Whom the payment is between: a refund goes back the way that its original came. */
export function named(command: Pay, original: PaymentSnapshot | undefined): Named {
  if (POSTINGS[command.kind].refundOf === undefined || original === undefined) {
    return { payer: command.payer, payee: command.payee, currency: command.currency };
  }
  const { payer, payee, currency } = original.context;
  return { payer: payee, payee: payer, currency };
}

/** Validation: what cannot be right is refused and leaves nothing, so that it is looked at anew when it comes again. */
export function termsOf(command: Pay, world: World): Terms | Refusal {
  const rules = POSTINGS[command.kind];
  const malformed = refuseFields(command, rules) ?? refuseAmounts(command, rules);
  if (malformed !== undefined) return malformed;
  let original: PaymentSnapshot | undefined;
  if (command.original !== undefined) {
    original = world.payment(command.original);
    const unfit = refuseOriginal(command, original);
    if (unfit !== undefined) return unfit;
  }
  const { payer, payee, currency } = named(command, original);
  if (currency === undefined) return invalid('currency', 'a currency is needed');
  if (payer !== undefined && payer === payee) return invalid('payee', 'payer and payee are the same account');
  const from = payer === undefined ? undefined : world.wallet(payer);
  const to = payee === undefined ? undefined : world.wallet(payee);
  const unfit =
    (payer === undefined ? undefined : refuseParty('payer', payer, from, rules.payer, currency)) ??
    (payee === undefined ? undefined : refuseParty('payee', payee, to, rules.payee, currency));
  return unfit ?? { rules, currency, payer: from, payee: to, original };
}

/** Upper case is for banks only (`bank:AB`), whose codes are written so. */
const PROVIDER = /^(?:(?!bank:)[a-z0-9][a-z0-9_.:-]{0,63}|bank:[A-Za-z0-9_.:-]{1,59})$/;

export const isProviderName = (text: string): boolean => PROVIDER.test(text);

const REFERENCE = /^[A-Za-z0-9_.-]{1,64}$/;

/** Whether the text may be a reference that a provider resolves. What it stands for is personal, and is not in it. */
export const isReference = (text: string): boolean => REFERENCE.test(text);

/** Every kind takes exactly its own fields. */
function refuseFields(command: Pay, rules: PostingsOfKind): Refusal | undefined {
  const { kind, provider, beneficiary, rail } = command;
  if (rules.slice === true) return invalid('kind', `a ${kind} is made by its payout`);
  if (rules.refundOf === undefined) {
    if (command.original !== undefined) return invalid('original', `${kind} gives no payment back`);
    for (const side of ['payer', 'payee'] as const) {
      const [wanted, given] = [rules[side] !== undefined, command[side] !== undefined];
      if (wanted !== given) return invalid(side, wanted ? `${kind} needs a ${side}` : `${kind} takes no ${side}`);
    }
  } else if (command.original === undefined) return invalid('original', `${kind} needs the payment that it gives back`);
  const named_ = rules.provider && rules.refundOf === undefined;
  if (named_ !== (provider !== undefined)) {
    return invalid('provider', named_ ? `${kind} needs a provider` : `${kind} takes no provider`);
  }
  if (provider !== undefined && !PROVIDER.test(provider)) return invalid('provider', 'not a name of a provider');
  for (const [field, given] of Object.entries({ beneficiary, rail })) {
    if (given === undefined) continue;
    if (rules.capturedWhen === undefined) return invalid(field, `${kind} goes to no provider`);
    if (!REFERENCE.test(given)) return invalid(field, 'a reference is 1 to 64 of A–Z a–z 0–9 _ . -');
  }
  return undefined;
}

function refuseAmounts(command: Pay, rules: PostingsOfKind): Refusal | undefined {
  const { amount, captureAmount, providerFee, upTo } = command;
  if (amount <= 0n || amount > AMOUNT_MAX) return invalid('amount', 'the amount must be above 0, of 30 digits at most');
  if (captureAmount !== undefined) {
    if (upTo === 'INITIATED' || upTo === 'AUTHORIZED')
      return invalid('captureAmount', `nothing is captured up to ${upTo}`);
    if (captureAmount <= 0n || captureAmount > amount) {
      return invalid('captureAmount', 'what is captured must be above 0, and at most the amount');
    }
  }
  if (providerFee !== undefined && upTo !== 'SETTLED') return invalid('providerFee', 'is known at settlement only');
  return refuseProviderFee(rules, captureAmount ?? amount, providerFee);
}

/**
 * A fee that is kept back is a part of what arrives: above N the provider would owe us a negative amount. A fee on top
 * may well exceed a small amount (a minimum fee), so only its digits are bounded.
 */
export function refuseProviderFee(
  rules: PostingsOfKind,
  captured: bigint,
  providerFee: bigint | undefined,
): Refusal | undefined {
  if (providerFee === undefined) return undefined;
  if (rules.providerFee === undefined) {
    return providerFee === 0n ? undefined : invalid('providerFee', 'no provider takes a fee of this kind');
  }
  const max = rules.providerFee === 'kept back' ? captured : AMOUNT_MAX;
  return providerFee < 0n || providerFee > max
    ? invalid('providerFee', `the provider's fee must be between 0 and ${max.toString()}`)
    : undefined;
}

function refuseOriginal(command: Pay, original: PaymentSnapshot | undefined): Refusal | undefined {
  if (original === undefined) return notFound('payment', command.original ?? '');
  const { value, context } = original;
  if (context.kind !== POSTINGS[command.kind].refundOf || value !== 'SETTLED') {
    return invalid('original', `a ${command.kind} needs a SETTLED ${POSTINGS[command.kind].refundOf ?? ''} payment`);
  }
  const true_ = named(command, original);
  for (const field of ['payer', 'payee', 'currency'] as const) {
    if (command[field] !== undefined && command[field] !== true_[field]) {
      return invalid(field, `the ${field} is given by the original payment`);
    }
  }
  return undefined;
}

function refuseParty(
  side: 'payer' | 'payee',
  id: string,
  wallet: WalletSnapshot | undefined,
  types: readonly WalletType[] | undefined,
  currency: string,
): Refusal | undefined {
  if (wallet === undefined) return notFound('account', id);
  if (wallet.context.currency !== currency) {
    return invalid('currency', `account ${id} is in ${wallet.context.currency}, not in ${currency}`);
  }
  if (types?.includes(wallet.context.type) !== true) {
    return invalid(side, `account ${id} is a ${wallet.context.type} account, which cannot be the ${side} here`);
  }
  return undefined;
}
