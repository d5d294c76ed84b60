import { describe, expect, it } from 'vitest';
import { by, figures, given, LATER, NOW, pay, wallet } from '../testing/given.ts';

/** Proves what a `Pay` writes, to the last field, and which of its refusals are recorded. */
describe('paying in one unit', () => {
  it('P2P: four facts on the payment, one on each wallet, and no hold', () => {
    const people = { 'account/alice': wallet({ posted: '1000' }), 'account/bob': wallet() };
    expect(given(people).when(pay())).toEqual({
      wrote: {
        'payment/p1': [
          {
            type: 'PaymentInitiated',
            kind: 'P2P',
            amount: '300',
            currency: 'XOF',
            payer: 'alice',
            payee: 'bob',
            ...by('p1', 4),
          },
          { type: 'PaymentAuthorized', held: '0' },
          { type: 'PaymentCaptured', amount: '300' },
          { type: 'PaymentSettled', fee: '0', providerFee: '0' },
        ],
        'account/alice': [entry('-300', figures({ posted: '700' }))],
        'account/bob': [entry('300', figures({ posted: '300' }))],
      },
    });
  });

  it('CASH_IN: captured and settled are facts of their own, and the provider keeps its fee', () => {
    const cashIn = pay({ kind: 'CASH_IN', payee: 'alice', provider: 'cash', providerFee: 5n });
    expect(given({ 'account/alice': wallet() }).when(cashIn)).toMatchObject({
      wrote: {
        'payment/p1': [{}, { held: '0' }, { amount: '300' }, { providerFee: '5' }],
        'account/alice': [entry('300', figures({ posted: '300' }))],
        'system/receivable:cash:XOF': [system('CAPTURED', '-300'), system('SETTLED', '300')],
        'system/float:cash:XOF': [system('SETTLED', '-295')],
        'system/cost:cash:XOF': [system('SETTLED', '-5')],
      },
    });
  });

  it('CASH_OUT: the provider takes its fee on top', () => {
    const cashOut = pay({ kind: 'CASH_OUT', payer: 'alice', provider: 'bank:AB', providerFee: 5n });
    expect(given({ 'account/alice': wallet({ posted: '300' }) }).when(cashOut)).toMatchObject({
      wrote: {
        'account/alice': [entry('-300', figures({ posted: '0' }))],
        'system/payable:bank:AB:XOF': [system('CAPTURED', '300'), system('SETTLED', '-300')],
        'system/cost:bank:AB:XOF': [system('SETTLED', '-5')],
        'system/float:bank:AB:XOF': [system('SETTLED', '305')],
      },
    });
  });

  it('MERCHANT: our fee is kept from the merchant, rounded down, and entries of nothing are not written', () => {
    const shop = figures({ type: 'merchant', feeBps: 150 });
    const people = { 'account/alice': wallet({ posted: '1000' }), 'account/shop': wallet(shop) };
    const merchant = pay({ kind: 'MERCHANT', payer: 'alice', payee: 'shop' });
    expect(given(people).when({ ...merchant, amount: 333n })).toMatchObject({
      wrote: {
        'payment/p1': [{ feeBps: 150 }, {}, {}, { fee: '4', providerFee: '0' }],
        'account/shop': [{ amount: '329', step: 'SETTLED', after: { ...shop, posted: '329' } }],
        'system/clearing:XOF': [system('CAPTURED', '333'), system('SETTLED', '-333')],
        'system/fees:XOF': [system('SETTLED', '4')],
      },
    });
    expect(given(people).when({ ...merchant, amount: 66n }).wrote).not.toHaveProperty('system/fees:XOF');
  });

  it('FUNDING: a treasury is funded from the float', () => {
    const funding = pay({ kind: 'FUNDING', payee: 'till', provider: 'bank:AB' });
    expect(given({ 'account/till': wallet({ type: 'treasury' }) }).when(funding)).toMatchObject({
      wrote: { 'system/float:bank:AB:XOF': [system('CAPTURED', '-300')], 'account/till': [{ amount: '300' }] },
    });
  });

  it('a part: only the part is debited, though the whole had to be there', () => {
    const people = { 'account/alice': wallet({ posted: '300' }), 'account/bob': wallet() };
    const part = pay({ captureAmount: 120n });
    expect(given(people).when(part).wrote?.['account/alice']).toEqual([entry('-120', figures({ posted: '180' }))]);
    const poor = { ...people, 'account/alice': wallet({ posted: '299' }) };
    expect(given(poor).when(part).refused).toMatchObject({ code: 'InsufficientFunds', available: '299', asked: '300' });
  });
});

describe('paying up to a state', () => {
  const people = { 'account/alice': wallet({ posted: '1000' }), 'account/bob': wallet() };

  it('INITIATED moves nothing', () => {
    expect(Object.keys(given(people).when(pay({ upTo: 'INITIATED' })).wrote ?? {})).toEqual(['payment/p1']);
  });

  it('AUTHORIZED holds the amount, until it expires', () => {
    expect(given(people).when(pay({ upTo: 'AUTHORIZED' }))).toMatchObject({
      wrote: {
        'payment/p1': [{ ...by('p1', 2) }, { type: 'PaymentAuthorized', held: '300', expiresAt: LATER }],
        'account/alice': [{ type: 'HoldPlaced', amount: '300', after: figures({ posted: '1000', held: '300' }) }],
      },
    });
    const born = pay({ upTo: 'AUTHORIZED', expiresAt: NOW });
    expect(given(people).when(born).refused).toMatchObject({ code: 'Invalid', field: 'expiresAt' });
  });

  it('CAPTURED says when settlement is due, unless it settles at once', () => {
    const cashIn = pay({ kind: 'CASH_IN', payee: 'alice', provider: 'cash', upTo: 'CAPTURED' });
    expect(given(people).when(cashIn).wrote?.['payment/p1']?.at(-1)).toEqual({
      type: 'PaymentCaptured',
      amount: '300',
      settlesAt: LATER,
    });
    expect(given(people).when(pay({ upTo: 'CAPTURED' })).wrote?.['payment/p1']).toHaveLength(4);
  });
});

describe('a create that others refuse', () => {
  it('is recorded on the payment and on the wallet that it rests on', () => {
    const people = { 'account/alice': wallet({ posted: '100', held: '20', limit: '10' }), 'account/bob': wallet() };
    const details = { accountId: 'alice', available: '90', asked: '300' };
    expect(given(people).when(pay())).toMatchObject({
      refused: { code: 'InsufficientFunds', ...details },
      wrote: {
        'payment/p1': [
          { ...by('p1', 2) },
          { type: 'PaymentFailed', cause: 'refused', reason: 'InsufficientFunds', details },
        ],
        'account/alice': [
          {
            type: 'PaymentRefused',
            paymentId: 'p1',
            reason: 'InsufficientFunds',
            after: figures({ posted: '100', held: '20', limit: '10' }),
          },
        ],
      },
    });
  });

  it.each([
    ['FROZEN', 'OPEN', 'AccountFrozen', 'alice'],
    ['CLOSED', 'OPEN', 'AccountClosed', 'alice'],
    ['OPEN', 'CLOSED', 'AccountClosed', 'bob'],
    ['FROZEN', 'CLOSED', 'AccountClosed', 'bob'],
  ] as const)('payer %s, payee %s: %s, on %s', (payer, payee, code, accountId) => {
    const people = { 'account/alice': wallet({ status: payer }), 'account/bob': wallet({ status: payee }) };
    const { refused, wrote } = given(people).when(pay());
    expect(refused).toMatchObject({ code, accountId });
    expect(Object.keys(wrote ?? {})).toEqual(['payment/p1', `account/${accountId}`]);
  });

  it('does not mind a frozen payee: it may be credited', () => {
    const people = { 'account/alice': wallet({ posted: '300' }), 'account/bob': wallet({ status: 'FROZEN' }) };
    expect(given(people).when(pay()).wrote).toHaveProperty('account/bob');
  });

  it('judges funds and freezes only when it authorizes, but a closed party at once', () => {
    const initiate = pay({ upTo: 'INITIATED' });
    const frozen = { 'account/alice': wallet({ status: 'FROZEN' }), 'account/bob': wallet() };
    expect(given(frozen).when(initiate).refused).toBeUndefined();
    const closed = { 'account/alice': wallet(), 'account/bob': wallet({ status: 'CLOSED' }) };
    expect(given(closed).when(initiate).refused).toMatchObject({ code: 'AccountClosed' });
  });
});

describe('a create that cannot be right', () => {
  const people = {
    'account/alice': wallet({ posted: '1000' }),
    'account/bob': wallet(),
    'account/eva': wallet({ currency: 'EUR' }),
    'account/shop': wallet({ type: 'merchant', feeBps: 0 }),
    'account/till': wallet({ type: 'treasury' }),
  };
  const cashIn = { kind: 'CASH_IN', payee: 'alice', provider: 'cash' } as const;

  it.each([
    [{ payer: 'nobody' }, { code: 'NotFound', what: 'account', id: 'nobody' }],
    [{ payer: 'float:cash:XOF' }, { code: 'NotFound' }],
    [{ payee: 'eva' }, { code: 'Invalid', field: 'currency' }],
    [{ currency: 'EUR' }, { code: 'Invalid', field: 'currency' }],
    [{ payee: 'alice' }, { code: 'Invalid', field: 'payee' }],
    [{ payee: 'till' }, { code: 'Invalid', field: 'payee' }],
    [{ payer: 'till' }, { code: 'Invalid', field: 'payer' }],
    [{ amount: 0n }, { code: 'Invalid', field: 'amount' }],
    [{ amount: -1n }, { code: 'Invalid', field: 'amount' }],
    [{ amount: 10n ** 30n }, { code: 'Invalid', field: 'amount' }],
    [{ captureAmount: 301n }, { code: 'Invalid', field: 'captureAmount' }],
    [{ captureAmount: 0n }, { code: 'Invalid', field: 'captureAmount' }],
    [
      { captureAmount: 1n, upTo: 'AUTHORIZED' },
      { code: 'Invalid', field: 'captureAmount' },
    ],
    [{ provider: 'cash' }, { code: 'Invalid', field: 'provider' }],
    [{ original: 'p0' }, { code: 'Invalid', field: 'original' }],
    [{ providerFee: 1n }, { code: 'Invalid', field: 'providerFee' }],
    [
      { ...cashIn, provider: undefined },
      { code: 'Invalid', field: 'provider' },
    ],
    [
      { ...cashIn, provider: 'Cash' },
      { code: 'Invalid', field: 'provider' },
    ],
    [
      { ...cashIn, provider: 'bank:' },
      { code: 'Invalid', field: 'provider' },
    ],
    [
      { ...cashIn, provider: `a${'b'.repeat(64)}` },
      { code: 'Invalid', field: 'provider' },
    ],
    [
      { ...cashIn, payer: 'bob' },
      { code: 'Invalid', field: 'payer' },
    ],
    [
      { ...cashIn, payee: undefined },
      { code: 'Invalid', field: 'payee' },
    ],
    [
      { ...cashIn, providerFee: 301n },
      { code: 'Invalid', field: 'providerFee' },
    ],
    [
      { ...cashIn, providerFee: -1n },
      { code: 'Invalid', field: 'providerFee' },
    ],
    [
      { ...cashIn, providerFee: 1n, upTo: 'CAPTURED' },
      { code: 'Invalid', field: 'providerFee' },
    ],
    [
      { kind: 'MERCHANT', payer: 'shop', payee: 'alice' },
      { code: 'Invalid', field: 'payer' },
    ],
    [
      { kind: 'MERCHANT', payer: 'alice', payee: 'bob' },
      { code: 'Invalid', field: 'payee' },
    ],
    [
      { kind: 'FUNDING', payee: 'alice', provider: 'cash' },
      { code: 'Invalid', field: 'payee' },
    ],
    [{ kind: 'REFUND' }, { code: 'Invalid', field: 'original' }],
    [
      { kind: 'REFUND', original: 'nothing' },
      { code: 'NotFound', what: 'payment' },
    ],
  ] as const)('%o: %o, and nothing is written', (wrong, refusal) => {
    const command = { ...pay(wrong as Parameters<typeof pay>[0]), ...wrong };
    const decision = given(people).when(command as ReturnType<typeof pay>);
    expect(decision).toEqual({ refused: expect.objectContaining(refusal) as unknown });
  });

  it.each(['cash', 'mtn-momo', 'bank:AB', 'bank:CZ_01', '3ds'])('takes the provider %s', (provider) => {
    expect(given(people).when(pay({ ...cashIn, provider })).refused).toBeUndefined();
  });
});

describe('a repeated create', () => {
  const people = { 'account/alice': wallet({ posted: '1000' }), 'account/bob': wallet() };
  const done = { ...people, 'payment/p1': given(people).when(pay()).wrote?.['payment/p1'] ?? [] };

  it('is answered from the payment as it was, and other contents are a conflict', () => {
    expect(given(done).when(pay())).toEqual({ repeats: 4 });
    expect(given(done).when({ ...pay(), fingerprint: 'g' }).refused).toMatchObject({ code: 'IdempotencyConflict' });
  });

  it('of a recorded refusal stays refused after a top-up', () => {
    const poor = { 'account/alice': wallet(), 'account/bob': wallet() };
    const failed = given(poor).when(pay()).wrote?.['payment/p1'] ?? [];
    expect(given({ ...people, 'payment/p1': failed }).when(pay())).toEqual({ repeats: 2 });
  });
});

const entry = (amount: string, after: object) => ({
  type: 'EntryPosted',
  paymentId: 'p1',
  step: 'CAPTURED',
  amount,
  currency: 'XOF',
  after,
});
const system = (step: string, amount: string) => ({
  type: 'EntryPosted',
  paymentId: 'p1',
  step,
  amount,
  currency: 'XOF',
});
