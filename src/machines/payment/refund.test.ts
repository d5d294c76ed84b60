import { describe, expect, it } from 'vitest';
import { authorize, by, capture, fail, figures, given, LATER, pay, reverse, wallet } from '../testing/given.ts';
import type { PaymentFact } from './payment.facts.ts';

/** Proves that a refund takes its share of the original at once, gives it back when it ends, and never takes more. */
const bought: PaymentFact[] = [
  {
    type: 'PaymentInitiated',
    kind: 'MERCHANT',
    amount: '500',
    currency: 'XOF',
    payer: 'alice',
    payee: 'shop',
    feeBps: 100,
  },
  { type: 'PaymentAuthorized', held: '0' },
  { type: 'PaymentCaptured', amount: '400' },
  { type: 'PaymentSettled', fee: '4', providerFee: '0' },
];
const shop = figures({ type: 'merchant', feeBps: 100, posted: '396' });
const world = { 'payment/m1': bought, 'account/alice': wallet(), 'account/shop': wallet(shop) };
const refund = pay({ kind: 'REFUND', paymentId: 'r1', original: 'm1' });
const reserved: PaymentFact = { type: 'RefundReserved', refund: 'r1', amount: '300' };
const initiated: PaymentFact = {
  type: 'PaymentInitiated',
  kind: 'REFUND',
  amount: '300',
  currency: 'XOF',
  payer: 'shop',
  payee: 'alice',
  original: 'm1',
  ...by('r1', 1),
};

describe('a refund', () => {
  it('goes back the way the money came, and our fee is kept', () => {
    expect(given(world).when(refund)).toMatchObject({
      wrote: {
        'payment/r1': [{ ...initiated, ...by('r1', 4) }, {}, {}, { type: 'PaymentSettled', fee: '0' }],
        'payment/m1': [reserved],
        'account/shop': [{ amount: '-300', after: { ...shop, posted: '96' } }],
        'account/alice': [{ amount: '300', after: figures({ posted: '300' }) }],
      },
    });
    // What is written on the original is nobody's command there.
    expect(given(world).when(refund).wrote?.['payment/m1']).toEqual([reserved]);
  });

  it('never exceeds, with all other refunds, what was captured', () => {
    const half: PaymentFact = { type: 'RefundReserved', refund: 'r0', amount: '200' };
    expect(given({ ...world, 'payment/m1': [...bought, half] }).when(refund)).toMatchObject({
      refused: { code: 'RefundExceedsCaptured', refundable: '200', asked: '300' },
      wrote: {
        'payment/r1': [{}, { type: 'PaymentFailed', cause: 'refused', reason: 'RefundExceedsCaptured' }],
        'payment/m1': [{ type: 'RefundRefused', refund: 'r1', amount: '300', reason: 'RefundExceedsCaptured' }],
      },
    });
  });

  it('that the merchant cannot pay leaves the original alone', () => {
    const poor = { ...world, 'account/shop': wallet({ ...shop, posted: '299' }) };
    const { wrote, refused } = given(poor).when(refund);
    expect(refused).toMatchObject({ code: 'InsufficientFunds', accountId: 'shop' });
    expect(Object.keys(wrote ?? {})).toEqual(['payment/r1', 'account/shop']);
  });

  it.each([
    ['of a payment that is not settled', { 'payment/m1': bought.slice(0, 3) }, {}],
    ['of another kind', { 'payment/m1': [{ ...bought[0], kind: 'P2P' } as PaymentFact, ...bought.slice(1)] }, {}],
    ['with other parties', {}, { payer: 'alice' }],
    ['in another currency', {}, { currency: 'EUR' }],
  ])('%s is invalid', (_title, history, other) => {
    expect(given({ ...world, ...history }).when({ ...refund, ...other })).toMatchObject({
      refused: { code: 'Invalid' },
    });
  });
});

describe('a refund in steps', () => {
  const started = { ...world, 'payment/m1': [...bought, reserved], 'payment/r1': [initiated] };
  const held: PaymentFact = { type: 'PaymentAuthorized', held: '300', expiresAt: LATER };
  const authorized = {
    ...started,
    'payment/r1': [initiated, held],
    'account/shop': wallet({ ...shop, held: '300' }),
  };
  const on = <Command extends object>(command: Command) => ({ ...command, paymentId: 'r1' });
  const released = { type: 'RefundReleased', refund: 'r1', amount: '300' };

  it('takes its share when it is made', () => {
    expect(given(world).when({ ...refund, upTo: 'INITIATED' }).wrote).toEqual({
      'payment/r1': [initiated],
      'payment/m1': [reserved],
    });
  });

  it('gives its share back when it fails, is reversed, or cannot be authorized', () => {
    expect(given(started).when(on(fail())).wrote?.['payment/m1']).toEqual([released]);
    expect(given(authorized).when(on(fail())).wrote?.['payment/m1']).toEqual([released]);
    expect(given(authorized).when(on(reverse())).wrote?.['payment/m1']).toEqual([released]);
    const poor = { ...started, 'account/shop': wallet({ ...shop, posted: '0' }) };
    expect(given(poor).when(on(authorize()))).toMatchObject({
      refused: { code: 'InsufficientFunds' },
      wrote: { 'payment/m1': [released], 'account/shop': [{ type: 'PaymentRefused' }] },
    });
  });

  it('keeps its share when it is captured, and gives back what a partial capture leaves', () => {
    expect(given(authorized).when(on(capture())).wrote).not.toHaveProperty('payment/m1');
    expect(given(authorized).when(on(capture({ amount: 100n }))).wrote?.['payment/m1']).toEqual([
      { ...released, amount: '200' },
    ]);
    expect(given(world).when({ ...refund, captureAmount: 100n }).wrote?.['payment/m1']).toEqual([
      { ...reserved, amount: '100' },
    ]);
  });
});
