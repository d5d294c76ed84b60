import fc from 'fast-check';
import type { Command } from '../../src/machines/commands.ts';
import type { PaymentKind } from '../../src/machines/payment/payment.facts.ts';
import type { Scribe } from './units.ts';

/** What a random run does next; resolved against what there is, so that most of it is legal and some of it is not. */
export interface RandomStep {
  readonly what: 'pay' | 'authorize' | 'capture' | 'settle' | 'fail' | 'reverse' | 'expire' | 'freeze' | 'limit';
  readonly kind: PaymentKind;
  readonly upTo: 'INITIATED' | 'AUTHORIZED' | 'CAPTURED' | 'SETTLED';
  readonly one: number;
  readonly other: number;
  readonly amount: number;
  readonly hours: number;
}

export const randomSteps = fc.array(
  fc.record<RandomStep>({
    what: fc.constantFrom(
      'pay',
      'pay',
      'pay',
      'authorize',
      'capture',
      'settle',
      'fail',
      'reverse',
      'expire',
      'freeze',
      'limit',
    ),
    kind: fc.constantFrom('P2P', 'CASH_IN', 'CASH_IN', 'CASH_OUT', 'MERCHANT', 'REFUND', 'FUNDING'),
    upTo: fc.constantFrom('INITIATED', 'AUTHORIZED', 'CAPTURED', 'SETTLED'),
    one: fc.nat(1_000),
    other: fc.nat(1_000),
    amount: fc.integer({ min: 1, max: 500 }),
    hours: fc.nat(30),
  }),
  { minLength: 20, maxLength: 60 },
);

const customers = ['alice', 'bob', 'carol'];

/** Opens the accounts that random steps are about. */
export function openForRandom(scribe: Scribe): void {
  for (const id of customers) scribe.open(id);
  scribe.open('shop', { walletType: 'merchant', feeBps: 150 });
  scribe.open('treasury', { walletType: 'treasury' });
}

/** Carries a step out. Refusals are part of it. Returns true when something was written. */
export function runStep(scribe: Scribe, step: RandomStep, number: string): boolean {
  scribe.at += step.hours * 3_600_000;
  const effectiveAt = step.other % 5 === 0 ? new Date(scribe.at - step.other * 3_600_000).toISOString() : undefined;
  return scribe.run(commandOf(scribe, step, number), effectiveAt).outcome === 'decided';
}

function commandOf(scribe: Scribe, step: RandomStep, number: string): Command {
  const ids = { commandId: `r${number}`, fingerprint: 'f' };
  const payments = scribe.world.payments();
  const paymentId = payments[step.one % Math.max(payments.length, 1)]?.context.paymentId ?? 'none';
  const customer = customers[step.one % customers.length] as string;
  const later = new Date(scribe.at + 86_400_000).toISOString();
  const amount = BigInt(step.amount);
  switch (step.what) {
    case 'pay':
      return pay(scribe, step, { ...ids, amount, later });
    case 'authorize':
      return { ...ids, type: 'Authorize', paymentId, expiresAt: later };
    case 'capture':
      return { ...ids, type: 'Capture', paymentId, settlesAt: later, ...(step.other % 2 === 0 && { amount }) };
    case 'settle':
      return { ...ids, type: 'Settle', paymentId };
    case 'fail':
      return { ...ids, type: 'Fail', paymentId, reason: 'declined' };
    case 'reverse':
      return { ...ids, type: 'Reverse', paymentId, reason: 'requested' };
    case 'expire':
      return { ...ids, type: 'Reverse', paymentId, reason: 'expired' };
    case 'freeze':
      return {
        ...ids,
        type: step.other % 3 === 0 ? 'FreezeAccount' : 'UnfreezeAccount',
        accountId: customer,
        reason: 'r',
      };
    case 'limit':
      return { ...ids, type: 'SetLimit', accountId: customer, limit: amount, reason: 'r' };
  }
}

function pay(
  scribe: Scribe,
  { kind, upTo, one, other }: RandomStep,
  { commandId, fingerprint, amount, later }: { commandId: string; fingerprint: string; amount: bigint; later: string },
): Command {
  const [customer, friend] = [customers[one % 3] as string, customers[(one + 1 + (other % 2)) % 3] as string];
  const settled = scribe.world
    .payments()
    .filter(({ value, context }) => value === 'SETTLED' && context.kind === 'MERCHANT');
  const parties = {
    P2P: { payer: customer, payee: friend },
    CASH_IN: { payee: customer, provider: 'cash' },
    CASH_OUT: { payer: customer, provider: 'bank:AB' },
    MERCHANT: { payer: customer, payee: 'shop' },
    REFUND: { original: settled[other % Math.max(settled.length, 1)]?.context.paymentId ?? 'none' },
    FUNDING: { payee: 'treasury', provider: 'bank:AB' },
    // Refused: a payout makes its slices.
    PAYOUT: { payer: 'treasury', provider: 'bank:AB' },
    PAYOUT_RETURN: { original: 'none' },
  }[kind];
  const currency = kind === 'REFUND' ? undefined : { currency: 'XOF' };
  const times = { expiresAt: later, settlesAt: later };
  return {
    type: 'Pay',
    paymentId: commandId,
    commandId,
    fingerprint,
    kind,
    amount,
    upTo,
    ...times,
    ...currency,
    ...parties,
  };
}
