import { describe, expect, it } from 'vitest';
import { walletFromFact } from './account/account.machine.ts';
import { walletView } from './account/view.ts';
import { evolvePayment } from './evolve.ts';
import { refusalOfFailed } from './payment/failure.ts';
import type { PaymentFact } from './payment/payment.facts.ts';
import type { PaymentSnapshot } from './payment/payment.machine.ts';
import { paymentView } from './payment/view.ts';
import { by, figures } from './testing/given.ts';

/** Proves that views are plain JSON with amounts as text, and leave out what does not apply. */
function payment(...facts: PaymentFact[]): PaymentSnapshot {
  let state: PaymentSnapshot | undefined;
  for (const fact of facts) {
    const next = evolvePayment(state, fact, 'p1');
    if (next !== 'illegal') state = next;
  }
  return state ?? expect.fail('no payment');
}
const made: PaymentFact = {
  ...{ type: 'PaymentInitiated', kind: 'MERCHANT', amount: '300', currency: 'XOF', payer: 'alice', payee: 'shop' },
  ...by('p1', 1),
};
const nothing = { authorized: '0', captured: '0', refunded: '0', fee: '0', providerFee: '0' };
const base = { paymentId: 'p1', kind: 'MERCHANT', amount: '300', currency: 'XOF', payer: 'alice', payee: 'shop' };

describe('a payment’s view', () => {
  it('shows where it stands', () => {
    expect(paymentView(payment(made))).toStrictEqual({ ...base, ...nothing, status: 'INITIATED', version: 1 });
    const settled = payment(
      made,
      { type: 'PaymentAuthorized', held: '300', expiresAt: 'E' },
      { type: 'PaymentCaptured', amount: '200', settlesAt: 'S' },
      { type: 'PaymentSettled', fee: '3', providerFee: '0' },
      { type: 'RefundReserved', refund: 'r1', amount: '50' },
    );
    const figures = { authorized: '300', captured: '200', refunded: '50', fee: '3', providerFee: '0' };
    expect(paymentView(settled)).toStrictEqual({
      ...{ ...base, ...figures, status: 'SETTLED', version: 5, expiresAt: 'E', settlesAt: 'S' },
    });
  });

  it('tells why it ended', () => {
    const held: PaymentFact = { type: 'PaymentAuthorized', held: '0' };
    const reversed = payment(made, held, { type: 'PaymentReversed', reason: 'expired' });
    expect(paymentView(reversed)).toMatchObject({ status: 'REVERSED', reversed: 'expired' });
    const declined = payment(made, { type: 'PaymentFailed', cause: 'requested', reason: 'declined' });
    expect(paymentView(declined)).toMatchObject({
      status: 'FAILED',
      failure: { code: 'PaymentFailed', reason: 'declined' },
    });
    expect(paymentView(declined)).not.toHaveProperty('reversed');
  });

  it('does not take a reason for a refusal that only sounds like one', () => {
    const named = payment(made, { type: 'PaymentFailed', cause: 'requested', reason: 'InsufficientFunds' });
    expect(refusalOfFailed(named)).toMatchObject({ code: 'PaymentFailed', reason: 'InsufficientFunds' });
    expect(refusalOfFailed(payment(made))).toBeUndefined();
  });
});

describe('a wallet’s view', () => {
  it('shows what is available', () => {
    const after = figures({ type: 'merchant', posted: '100', held: '30', limit: '5', feeBps: 10, owner: 'user:u1' });
    expect(walletView(walletFromFact({ type: 'AccountOpened', after }, 3, 'shop'))).toStrictEqual({
      ...{
        accountId: 'shop',
        type: 'merchant',
        currency: 'XOF',
        status: 'OPEN',
        version: 3,
        feeBps: 10,
        owner: 'user:u1',
      },
      ...{ posted: '100', held: '30', available: '75', limit: '5' },
    });
  });
});
