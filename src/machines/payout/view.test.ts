import { describe, expect, it } from 'vitest';
import { evolvePayment } from '../evolve.ts';
import { by, capture, given, LATER, NOW, wallet } from '../testing/given.ts';
import type { PaymentFact } from '../payment/payment.facts.ts';
import type { PaymentSnapshot } from '../payment/payment.machine.ts';
import { sliceStatusOf } from './view.ts';

/** Proves what a slice's status is where a person, and not its provider, took it on. */
const made: PaymentFact[] = [
  {
    type: 'PaymentInitiated',
    kind: 'PAYOUT',
    amount: '300',
    currency: 'XOF',
    payer: 'till',
    provider: 'bank:AB',
    payout: 'o1',
    beneficiary: 'b1',
    ...by('o1', 2),
  },
  { type: 'PaymentAuthorized', held: '300', expiresAt: LATER },
];
const tried: PaymentFact[] = [
  { type: 'InstructionIssued', instruction: 1, connector: 'bank-1', provider: 'bank:AB', sendBefore: NOW },
  { type: 'InstructionNotSent', instruction: 1, reason: 'no connection' },
];
const captured: PaymentFact = { type: 'PaymentCaptured', amount: '300', settlesAt: LATER };

function after(facts: readonly PaymentFact[]): PaymentSnapshot {
  let state: PaymentSnapshot | undefined;
  for (const fact of facts) {
    const next = evolvePayment(state, fact, 's1');
    if (next === 'illegal') throw new Error(`${fact.type} is illegal`);
    state = next;
  }
  return state as PaymentSnapshot;
}

describe('a slice that a person captured', () => {
  it('is sent, whether or not it was tried before: its money is no longer held', () => {
    expect(sliceStatusOf(after(made))).toBe('pending');
    expect(sliceStatusOf(after([...made, ...tried]))).toBe('pending');
    expect(sliceStatusOf(after([...made, captured]))).toBe('sent');
    expect(sliceStatusOf(after([...made, ...tried, captured]))).toBe('sent');
  });

  it('was captured whole', () => {
    const till = wallet({ type: 'treasury', posted: '300', held: '300' });
    const before = { 'payment/p1': made, 'account/till': till };
    const message = 'a slice is one transaction at its bank: it is captured whole';
    expect(given(before).when(capture({ amount: 299n }))).toEqual({
      refused: { code: 'Invalid', field: 'amount', message },
    });
    expect(given(before).when(capture({ amount: 300n })).wrote?.['payment/p1']).toEqual([
      { ...captured, ...by('c1', 1) },
    ]);
  });
});
