import { describe, expect, it } from 'vitest';
import {
  authorize,
  by,
  capture,
  EARLIER,
  fail,
  figures,
  given,
  LATER,
  NOW,
  reverse,
  settle,
  wallet,
} from '../testing/given.ts';
import type { PaymentFact, PaymentInitiated, PaymentKind } from './payment.facts.ts';

/** Proves what each later step writes, that the time of a hold is kept, and that illegal steps say what is allowed. */
const made = (kind: PaymentKind, of: Partial<PaymentInitiated> = {}): PaymentInitiated => ({
  type: 'PaymentInitiated',
  kind,
  amount: '300',
  currency: 'XOF',
  ...by('p1', 1),
  ...of,
});
const p2p = made('P2P', { payer: 'alice', payee: 'bob' });
const merchant = made('MERCHANT', { payer: 'alice', payee: 'shop', feeBps: 150 });
const cashIn = made('CASH_IN', { payee: 'alice', provider: 'cash' });
const cashOut = made('CASH_OUT', { payer: 'alice', provider: 'cash' });
const held: PaymentFact = { type: 'PaymentAuthorized', held: '300', expiresAt: LATER };
const free: PaymentFact = { type: 'PaymentAuthorized', held: '0' };
const captured: PaymentFact = { type: 'PaymentCaptured', amount: '300', settlesAt: LATER };

const aliceHeld = figures({ posted: '300', held: '300' });
const bob = { 'account/bob': wallet() };
const shop = { 'account/shop': wallet({ type: 'merchant', feeBps: 150 }) };

describe('authorize', () => {
  it('places the hold', () => {
    const before = { 'payment/p1': [p2p], 'account/alice': wallet({ posted: '500' }), ...bob };
    expect(given(before).when(authorize())).toEqual({
      wrote: {
        'payment/p1': [{ ...held, ...by('c1', 1) }],
        'account/alice': [
          { type: 'HoldPlaced', paymentId: 'p1', amount: '300', after: figures({ posted: '500', held: '300' }) },
        ],
      },
    });
  });

  it('holds nothing where the money comes from outside', () => {
    expect(given({ 'payment/p1': [cashIn], 'account/alice': wallet() }).when(authorize()).wrote).toEqual({
      'payment/p1': [{ type: 'PaymentAuthorized', held: '0', ...by('c1', 1) }],
    });
  });

  it.each([
    ['alice', { 'account/alice': wallet({ posted: '500', status: 'FROZEN' }) }, 'AccountFrozen'],
    ['alice', { 'account/alice': wallet({ status: 'CLOSED' }) }, 'AccountClosed'],
    ['bob', { 'account/bob': wallet({ status: 'CLOSED' }) }, 'AccountClosed'],
  ] as const)('ends the payment when %s, as %o, makes it impossible: %s', (accountId, changed, code) => {
    const before = { 'payment/p1': [p2p], 'account/alice': wallet({ posted: '500' }), ...bob, ...changed };
    const { wrote, refused } = given(before).when(authorize());
    expect(refused).toMatchObject({ code, accountId });
    expect(wrote?.[`account/${accountId}`]).toMatchObject([{ type: 'PaymentRefused', reason: code }]);
  });

  it('ends the payment when the payer cannot pay, and says so on the wallet', () => {
    const before = { 'payment/p1': [p2p], 'account/alice': wallet({ posted: '299' }), ...bob };
    expect(given(before).when(authorize())).toMatchObject({
      refused: { code: 'InsufficientFunds', available: '299', asked: '300' },
      wrote: {
        'payment/p1': [{ type: 'PaymentFailed', cause: 'refused', reason: 'InsufficientFunds', ...by('c1', 1) }],
        'account/alice': [{ type: 'PaymentRefused', paymentId: 'p1' }],
      },
    });
  });
});

describe('capture', () => {
  const authorized = { 'payment/p1': [p2p, held], 'account/alice': wallet(aliceHeld), ...bob };

  it('of P2P consumes the hold, pays and settles in one unit', () => {
    expect(given(authorized).when(capture())).toMatchObject({
      wrote: {
        'payment/p1': [{ type: 'PaymentCaptured', amount: '300', ...by('c1', 2) }, { type: 'PaymentSettled' }],
        'account/alice': [{ amount: '-300', released: '300', after: figures() }],
        'account/bob': [{ amount: '300', after: figures({ posted: '300' }) }],
      },
    });
  });

  it('of a part frees the rest', () => {
    expect(given(authorized).when(capture({ amount: 100n })).wrote?.['account/alice']).toMatchObject([
      { amount: '-100', released: '300', after: figures({ posted: '200' }) },
    ]);
  });

  it('of more than was authorized, or of nothing, is refused', () => {
    expect(given(authorized).when(capture({ amount: 301n })).refused).toMatchObject({
      code: 'CaptureExceedsAuthorized',
      authorized: '300',
      asked: '301',
    });
    expect(given(authorized).when(capture({ amount: 0n })).refused).toMatchObject({ code: 'Invalid' });
  });

  it('is refused from the instant at which the hold expires, whether anything has fired or not', () => {
    const expiring = { ...authorized, 'payment/p1': [p2p, { ...held, expiresAt: NOW } as const] };
    expect(given(expiring).when(capture(), EARLIER).wrote).toBeDefined();
    expect(given(expiring).when(capture(), NOW)).toMatchObject({ refused: { code: 'HoldExpired', expiresAt: NOW } });
  });

  it('of a frozen payer, and towards a closed payee, is refused and leaves the hold', () => {
    const frozen = { ...authorized, 'account/alice': wallet({ ...aliceHeld, status: 'FROZEN' }) };
    expect(given(frozen).when(capture())).toMatchObject({ refused: { code: 'AccountFrozen', accountId: 'alice' } });
    const closed = { ...authorized, 'account/bob': wallet({ status: 'CLOSED' }) };
    expect(given(closed).when(capture())).toMatchObject({ refused: { code: 'AccountClosed', accountId: 'bob' } });
  });

  it('of money from outside for a closed wallet puts it into suspense, and says whose it is', () => {
    const closed = { 'payment/p1': [cashIn, free], 'account/alice': wallet({ status: 'CLOSED' }) };
    expect(given(closed).when(capture())).toMatchObject({
      wrote: {
        'system/receivable:cash:XOF': [{ amount: '-300' }],
        'system/suspense:XOF': [{ amount: '300', diverted: 'alice' }],
      },
    });
  });

  it('is covered by its own hold even when a forced entry has taken the rest', () => {
    const below = { ...authorized, 'account/alice': wallet({ posted: '100', held: '300' }) };
    expect(given(below).when(capture()).wrote?.['account/alice']).toMatchObject([
      { after: { posted: '-200', held: '0' } },
    ]);
  });
});

describe('settle', () => {
  const before = { 'payment/p1': [merchant, held, captured], ...shop };

  it('pays the merchant what is left after our fee', () => {
    expect(given(before).when(settle())).toMatchObject({
      wrote: {
        'payment/p1': [{ type: 'PaymentSettled', fee: '4', providerFee: '0', ...by('c1', 1) }],
        'account/shop': [{ amount: '296', step: 'SETTLED' }],
        'system/clearing:XOF': [{ amount: '-300' }],
        'system/fees:XOF': [{ amount: '4' }],
      },
    });
  });

  it('of a merchant that was closed meanwhile puts its share into suspense', () => {
    const closed = { ...before, 'account/shop': wallet({ type: 'merchant', feeBps: 150, status: 'CLOSED' }) };
    expect(given(closed).when(settle()).wrote).toMatchObject({
      'system/suspense:XOF': [{ amount: '296', diverted: 'shop' }],
      'system/fees:XOF': [{ amount: '4' }],
    });
  });

  it('takes a fee of the provider only where there is one', () => {
    expect(given(before).when(settle({ providerFee: 1n })).refused).toMatchObject({ field: 'providerFee' });
    const provider = { 'payment/p1': [cashIn, free, captured] };
    expect(given(provider).when(settle({ providerFee: 301n })).refused).toMatchObject({ field: 'providerFee' });
    expect(given(provider).when(settle({ providerFee: 300n })).wrote).toMatchObject({
      'system/cost:cash:XOF': [{ amount: '-300' }],
      'system/receivable:cash:XOF': [{ amount: '300' }],
    });
  });
});

describe('fail and reverse', () => {
  const authorized = { 'payment/p1': [p2p, held], 'account/alice': wallet({ ...aliceHeld, status: 'FROZEN' }) };

  it('release the hold, of a frozen wallet too', () => {
    const released = { type: 'HoldReleased', amount: '300', after: figures({ posted: '300', status: 'FROZEN' }) };
    expect(given(authorized).when(fail())).toMatchObject({
      wrote: {
        'payment/p1': [{ type: 'PaymentFailed', cause: 'requested', reason: 'declined' }],
        'account/alice': [{ ...released, step: 'FAILED' }],
      },
    });
    expect(given(authorized).when(reverse())).toMatchObject({
      wrote: { 'payment/p1': [{ reason: 'requested' }], 'account/alice': [{ ...released, step: 'REVERSED' }] },
    });
  });

  it('by expiry only at or after the hold expires', () => {
    const expiring = { ...authorized, 'payment/p1': [p2p, { ...held, expiresAt: NOW } as const] };
    expect(given(expiring).when(reverse('expired'), EARLIER).refused).toMatchObject({ code: 'Invalid' });
    expect(given(expiring).when(reverse('expired'), NOW).wrote).toHaveProperty('account/alice');
    // What was captured in time does not expire any more.
    const inTime = {
      'payment/p1': [merchant, { ...held, expiresAt: NOW } as const, captured],
      'account/alice': wallet(),
    };
    expect(given(inTime).when(reverse('expired'), LATER).refused).toMatchObject({ code: 'IllegalTransition' });
    const unheld = { 'payment/p1': [cashIn, free] };
    expect(given(unheld).when(reverse('expired'), LATER).refused).toMatchObject({ code: 'IllegalTransition' });
  });

  it('a captured CASH_OUT or MERCHANT gives the payer everything back', () => {
    const out = { 'payment/p1': [cashOut, held, captured], 'account/alice': wallet() };
    expect(given(out).when(reverse()).wrote).toMatchObject({
      'account/alice': [{ amount: '300', step: 'REVERSED' }],
      'system/payable:cash:XOF': [{ amount: '-300' }],
    });
    const bought = { 'payment/p1': [merchant, held, captured], 'account/alice': wallet({ status: 'CLOSED' }) };
    expect(given(bought).when(reverse()).wrote).toMatchObject({
      'system/clearing:XOF': [{ amount: '-300' }],
      'system/suspense:XOF': [{ amount: '300', diverted: 'alice' }],
    });
  });

  describe('of a captured CASH_IN takes the money back', () => {
    const at = (of: Partial<ReturnType<typeof figures>>) => ({
      'payment/p1': [cashIn, free, captured],
      'account/alice': wallet(of),
    });

    it('from whoever still has it', () => {
      expect(given(at({ posted: '300' })).when(reverse()).wrote?.['account/alice']).toMatchObject([
        { amount: '-300', after: figures() },
      ]);
    });

    it.each([
      [{ posted: '299' }, { code: 'InsufficientFunds', available: '299', asked: '300' }],
      [{ posted: '300', status: 'FROZEN' }, { code: 'AccountFrozen' }],
      [{ status: 'CLOSED' }, { code: 'AccountClosed' }],
    ] as const)('not from %o: %o', (of, refusal) => {
      expect(given(at(of)).when(reverse())).toMatchObject({ refused: refusal });
    });

    it.each([
      [{ posted: '299' }, '-1'],
      [{ posted: '300', status: 'FROZEN' }, '0'],
    ] as const)('from %o by force, when the provider proves it', (of, posted) => {
      expect(given(at(of)).when(reverse('provider')).wrote?.['account/alice']).toMatchObject([
        { amount: '-300', forced: true, after: { posted } },
      ]);
    });

    it('from suspense, when the provider proves it and the wallet is closed', () => {
      expect(given(at({ status: 'CLOSED' })).when(reverse('provider')).wrote).toMatchObject({
        'system/suspense:XOF': [{ amount: '-300', diverted: 'alice' }],
      });
    });
  });
});

describe('an illegal step', () => {
  const settled: PaymentFact = { type: 'PaymentSettled', fee: '0', providerFee: '0' };
  const histories = {
    INITIATED: [p2p],
    AUTHORIZED: [p2p, held],
    CAPTURED: [merchant, held, captured],
    SETTLED: [merchant, held, captured, settled],
    'SETTLED P2P': [p2p, held, captured, settled],
    FAILED: [p2p, { type: 'PaymentFailed', cause: 'requested', reason: 'declined' }],
    REVERSED: [p2p, held, { type: 'PaymentReversed', reason: 'requested' }],
  } as const satisfies Record<string, readonly PaymentFact[]>;

  it.each([
    ['INITIATED', ['Capture', 'Settle', 'Reverse'], ['Authorize', 'Fail']],
    ['AUTHORIZED', ['Authorize', 'Settle'], ['Capture', 'Fail', 'Reverse']],
    ['CAPTURED', ['Authorize', 'Capture', 'Fail'], ['Settle', 'Reverse']],
    ['SETTLED', ['Authorize', 'Capture', 'Settle', 'Fail', 'Reverse'], ['Refund']],
    ['SETTLED P2P', ['Authorize', 'Capture', 'Settle', 'Fail', 'Reverse'], []],
    ['FAILED', ['Authorize', 'Capture', 'Settle', 'Fail', 'Reverse'], []],
    ['REVERSED', ['Authorize', 'Capture', 'Settle', 'Fail', 'Reverse'], []],
  ] as const)('in %s refuses %j, and allows %j', (state, illegal, allowed) => {
    const commands = [authorize(), capture(), settle(), fail(), reverse()];
    const people = { 'account/alice': wallet(aliceHeld), ...bob, ...shop };
    for (const command of commands.filter(({ type }) => (illegal as readonly string[]).includes(type))) {
      expect(given({ ...people, 'payment/p1': histories[state] }).when(command)).toMatchObject({
        refused: { code: 'IllegalTransition', state: state.split(' ')[0], command: command.type, allowed },
      });
    }
  });

  it('is not even that, on a payment that does not exist', () => {
    expect(given({}).when(capture()).refused).toMatchObject({ code: 'NotFound', what: 'payment', id: 'p1' });
  });
});

describe('a repeated step', () => {
  const history: PaymentFact[] = [
    p2p,
    { ...held, ...by('c1', 1) },
    { type: 'PaymentFailed', cause: 'requested', reason: 'x', ...by('c2', 1) },
  ];

  it('is answered from the version that it left, however the payment went on', () => {
    expect(given({ 'payment/p1': history }).when(authorize())).toEqual({ repeats: 2 });
    expect(given({ 'payment/p1': history }).when({ ...fail('x'), commandId: 'c2' })).toEqual({ repeats: 3 });
  });

  it('with other contents is a conflict, also with the key that made the payment', () => {
    const other = given({ 'payment/p1': history }).when({ ...authorize(), fingerprint: 'g' });
    expect(other.refused).toMatchObject({ code: 'IdempotencyConflict' });
    const same = given({ 'payment/p1': history }).when({ ...capture(), commandId: 'p1', fingerprint: 'g' });
    expect(same.refused).toMatchObject({ code: 'IdempotencyConflict' });
  });
});
