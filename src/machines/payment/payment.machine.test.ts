import { describe, expect, it } from 'vitest';
import { evolvePayment } from '../evolve.ts';
import type { PaymentFact, PaymentKind } from './payment.facts.ts';
import type { PaymentSnapshot } from './payment.machine.ts';

/** Proves that the machine itself, whoever drives it, takes no fact whose figures cannot be. */
describe('a fact of a payment', () => {
  const made = (kind: PaymentKind, amount = '5'): PaymentFact => ({
    type: 'PaymentInitiated',
    kind,
    amount,
    currency: 'XOF',
  });
  const held = (amount: string): PaymentFact => ({ type: 'PaymentAuthorized', held: amount });
  const captured = (amount: string): PaymentFact => ({ type: 'PaymentCaptured', amount });
  const settled: PaymentFact = { type: 'PaymentSettled', fee: '0', providerFee: '0' };
  const reversed: PaymentFact = { type: 'PaymentReversed', reason: 'requested' };
  const reserved = (amount: string): PaymentFact => ({ type: 'RefundReserved', refund: 'r1', amount });
  const released = (amount: string, refund = 'r1'): PaymentFact => ({ type: 'RefundReleased', refund, amount });
  const bought = [made('MERCHANT'), held('5'), captured('4'), settled];

  it.each([
    ['an amount of nothing', [made('P2P', '0')]],
    ['a hold of a part', [made('P2P'), held('4')]],
    ['a hold where nobody pays', [made('CASH_IN'), held('5')]],
    ['a capture of more than was authorized', [made('P2P'), held('5'), captured('6')]],
    ['a capture of nothing', [made('P2P'), held('5'), captured('0')]],
    ['a way back that the kind has not', [made('P2P'), held('5'), captured('5'), reversed]],
    ['more refunded than captured', [...bought, reserved('3'), reserved('2')]],
    ['a refund of another kind', [made('P2P'), held('5'), captured('5'), settled, reserved('1')]],
    ['a release of what nobody reserved', [...bought, reserved('3'), released('1', 'r2')]],
    ['a release of more than was reserved', [...bought, reserved('3'), released('4')]],
    ['a second release', [...bought, reserved('3'), released('3'), released('1')]],
    ['a second beginning', [made('P2P'), made('P2P')]],
  ])('is illegal: %s', (_title, facts) => {
    const last = facts.at(-1);
    let state: PaymentSnapshot | undefined;
    for (const one of facts) {
      const next = evolvePayment(state, one, 'p1');
      expect(next === 'illegal').toBe(one === last);
      if (next !== 'illegal') state = next;
    }
  });

  it('counts refunds one by one, and gives back what is released', () => {
    let state: PaymentSnapshot | undefined;
    for (const one of [...bought, reserved('3'), { ...reserved('1'), refund: 'r2' } as PaymentFact, released('2')]) {
      const next = evolvePayment(state, one, 'p1');
      if (next !== 'illegal') state = next;
    }
    expect(state?.context).toMatchObject({
      refunded: 2n,
      refunds: { refund: 'r2', amount: 1n, before: { amount: 1n } },
    });
  });
});
