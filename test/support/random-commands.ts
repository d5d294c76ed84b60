import fc from 'fast-check';
import type { Command, InstructionOutcome } from '../../src/machines/commands.ts';
import type { PaymentKind } from '../../src/machines/payment/payment.facts.ts';
import { POSTINGS } from '../../src/machines/payment/postings.ts';
import { categoryOf, idOf } from '../../src/machines/streams.ts';
import type { Scribe } from './units.ts';

/** What a random run does next; resolved against what there is, so that most of it is legal and some of it is not. */
export interface RandomStep {
  readonly what:
    | 'pay'
    | 'authorize'
    | 'capture'
    | 'settle'
    | 'fail'
    | 'reverse'
    | 'expire'
    | 'freeze'
    | 'limit'
    | 'pay out'
    | 'cancel a payout'
    | 'instruct'
    | 'say'
    | 'break';
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
      'pay out',
      'cancel a payout',
      'instruct',
      'instruct',
      'say',
      'say',
      'say',
      'break',
    ),
    kind: fc.constantFrom(
      'P2P',
      'P2P',
      'CASH_IN',
      'CASH_IN',
      'CASH_IN',
      'CASH_IN',
      'CASH_OUT',
      'CASH_OUT',
      'MERCHANT',
      'MERCHANT',
      'REFUND',
      'REFUND',
      'FUNDING',
      'PAYOUT_RETURN',
      'PAYOUT_RETURN',
      'UNIDENTIFIED_CREDIT',
      'LATE_COLLECTION',
      'CORRECTION_CREDIT',
      'CORRECTION_DEBIT',
      'WRITE_OFF_LOSS',
    ),
    upTo: fc.constantFrom('INITIATED', 'AUTHORIZED', 'CAPTURED', 'SETTLED'),
    one: fc.nat(1_000),
    other: fc.nat(1_000),
    amount: fc.integer({ min: 1, max: 500 }),
    // Most of the time what is held is still held when it is asked for.
    hours: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(30) }),
  }),
  { minLength: 20, maxLength: 60 },
);

const customers = ['alice', 'bob', 'carol'];

/** Opens the accounts that random steps are about. */
export function openForRandom(scribe: Scribe): void {
  for (const id of customers) scribe.open(id);
  scribe.open('shop', { walletType: 'merchant', feeBps: 150 });
  scribe.open('treasury', { walletType: 'treasury' });
  scribe.pay({ kind: 'FUNDING', payee: 'treasury', provider: 'bank:AB', amount: 5_000n });
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
  const any = payments[step.one % Math.max(payments.length, 1)]?.context.paymentId ?? 'none';
  const paymentId = step.other % 4 === 0 ? (outward(scribe, step) ?? any) : any;
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
    case 'pay out':
      return {
        ...ids,
        type: 'CreatePayout',
        payoutId: ids.commandId,
        ...{ amount, currency: 'XOF', payer: 'treasury', provider: 'bank:AB', beneficiary: 'b1' },
        ...(step.other % 2 === 0 && { rail: 'instant' }),
        ...{ sliceMin: 1n, sliceMax: BigInt(50 + (step.other % 200)), expiresAt: later },
      };
    case 'cancel a payout': {
      const payouts = idsOf(scribe, 'payout');
      const payoutId = payouts[step.one % Math.max(payouts.length, 1)] ?? 'none';
      return { ...ids, type: 'CancelPayout', payoutId, reason: 'r' };
    }
    case 'instruct': {
      const connector = `bank-${step.amount % 2}`;
      const of = { paymentId: outward(scribe, step) ?? paymentId, connector, provider: 'bank:AB', sendBefore: later };
      const resendAt = step.amount % 2 === 0 ? later : new Date(scribe.at).toISOString();
      return { ...ids, commandId: `machine:${ids.commandId}`, type: 'Instruct', ...of, resendAt };
    }
    case 'say': {
      const outcome = outcomes[step.other % outcomes.length] as InstructionOutcome;
      const of = {
        paymentId: outward(scribe, step) ?? paymentId,
        instruction: step.upTo === 'SETTLED' ? 1 : 0,
        outcome,
      };
      return { ...ids, commandId: `machine:${ids.commandId}`, type: 'RecordOutcome', ...of, settlesAt: later };
    }
    case 'break':
      return breakerOf(step, ids, later);
  }
}

const outcomes: readonly InstructionOutcome[] = [
  { said: 'accepted', providerRef: 'ref-1' },
  { said: 'accepted', providerRef: 'ref-2' },
  { said: 'confirmed', providerRef: 'ref-1' },
  { said: 'settled', providerRef: 'ref-3', providerFee: 1n },
  { said: 'refused', code: 'declined', elsewhere: true },
  { said: 'refused', code: 'no such account', elsewhere: false },
  { said: 'unknown', reason: 'no answer in time' },
  { said: 'not sent', reason: 'no connection' },
  { said: 'unresolvable', reason: 'cannot be asked' },
];

function idsOf(scribe: Scribe, category: string): string[] {
  return [...scribe.world.states.keys()].filter((stream) => categoryOf(stream) === category).map(idOf);
}

/** A payment that a provider can be told of: slices rather than others. */
function outward(scribe: Scribe, { one }: RandomStep): string | undefined {
  const all = scribe.world.payments().filter(({ context }) => POSTINGS[context.kind].capturedWhen !== undefined);
  const open = all.filter(({ value }) => value === 'AUTHORIZED' || value === 'CAPTURED');
  const told = all.filter(({ context }) => context.transfer !== undefined);
  // Few of them, so that each comes far.
  const among = [all, open, open, told, told, told][one % 6]?.slice(-4) ?? [];
  return among[Math.floor(one / 6) % Math.max(among.length, 1)]?.context.paymentId;
}

function breakerOf(
  { one, other }: RandomStep,
  ids: { commandId: string; fingerprint: string },
  later: string,
): Command {
  const of = { ...ids, connectorId: `bank-${one % 3}`, reason: 'r' };
  const machine = { ...of, commandId: `machine:${ids.commandId}` };
  switch (other % 4) {
    case 0:
      return { ...machine, type: 'OpenBreaker', failures: 5, openUntil: later };
    case 1:
      return { ...machine, type: 'HalfOpenBreaker' };
    case 2:
      return { ...machine, type: 'CloseBreaker', successes: 2 };
    default:
      return { ...of, type: 'ForceBreaker', state: one % 2 === 0 ? 'OPEN' : 'CLOSED' };
  }
}

function pay(
  scribe: Scribe,
  { kind, upTo, one, other }: RandomStep,
  { commandId, fingerprint, amount, later }: { commandId: string; fingerprint: string; amount: bigint; later: string },
): Command {
  const [customer, friend] = [customers[one % 3] as string, customers[(one + 1 + (other % 2)) % 3] as string];
  const givenBack = kind === 'PAYOUT_RETURN' ? 'PAYOUT' : 'MERCHANT';
  const settled = scribe.world
    .payments()
    .filter(({ value, context }) => value === 'SETTLED' && context.kind === givenBack);
  const original = settled[other % Math.max(settled.length, 1)]?.context.paymentId ?? 'none';
  const parties = {
    P2P: { payer: customer, payee: friend },
    CASH_IN: { payee: customer, provider: 'cash' },
    CASH_OUT: { payer: customer, provider: 'bank:AB' },
    MERCHANT: { payer: customer, payee: 'shop' },
    REFUND: { original },
    FUNDING: { payee: 'treasury', provider: 'bank:AB' },
    // Refused: a payout makes its slices.
    PAYOUT: { payer: 'treasury', provider: 'bank:AB' },
    PAYOUT_RETURN: { original },
    STATEMENT_FEE: { provider: 'bank:AB' },
    STATEMENT_INTEREST: { provider: 'bank:AB' },
    UNIDENTIFIED_CREDIT: { provider: 'bank:AB' },
    UNIDENTIFIED_DEBIT: { provider: 'bank:AB' },
    LATE_COLLECTION: { provider: 'bank:AB' },
    CORRECTION_CREDIT: { payee: friend },
    CORRECTION_DEBIT: { payer: customer },
    WRITE_OFF_LOSS: { provider: 'bank:AB' },
    WRITE_OFF_GAIN: {},
  }[kind];
  const currency = kind === 'REFUND' || kind === 'PAYOUT_RETURN' ? undefined : { currency: 'XOF' };
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
