import { describe, expect, it } from 'vitest';
import { TestWorld } from '../testing/test-world.ts';
import { authorize, by, capture, figures, given, LATER, NOW, pay, settle, wallet } from '../testing/given.ts';
import { elsewhere } from './key.ts';
import type { PaymentInitiated } from './payment.facts.ts';

/** Proves that a key does one thing: used again on another target it is refused, whatever the two commands are. */
const made = (id: string): readonly PaymentInitiated[] => [
  { type: 'PaymentInitiated', kind: 'P2P', amount: '300', currency: 'XOF', payer: 'alice', payee: 'bob', ...by(id, 1) },
];
const world = {
  'account/alice': wallet({ posted: '1000' }),
  'account/bob': wallet(),
  'payment/p1': made('p1'),
  'payment/p2': made('p2'),
};
const handled = { type: 'StepHandled', fingerprint: 'f', paymentId: 'p1', version: 2 } as const;
const usedOn = (target: string) => ({
  refused: {
    code: 'IdempotencyConflict',
    commandId: 'c1',
    message: `this idempotency key was used for something else, on ${target}`,
  },
});

describe('the key of a step', () => {
  it('is in the unit of the step, and nothing of it is in that of a Pay', () => {
    const all = new TestWorld();
    const opening = { type: 'OpenAccount', fingerprint: 'f', walletType: 'customer', currency: 'XOF' } as const;
    for (const accountId of ['alice', 'bob'])
      all.run({ ...opening, commandId: accountId, accountId, limit: 900n }, NOW);
    all.run(pay({ upTo: 'INITIATED' }), NOW);
    expect(all.units.at(-1)?.map(({ stream }) => stream)).toEqual(['payment/p1']);
    all.run(pay({ paymentId: 'p2' }), NOW);
    expect(all.units.at(-1)?.map(({ stream }) => stream)).toEqual(['payment/p2', 'account/alice', 'account/bob']);
    all.run(authorize(), NOW);
    const key = { type: 'StepHandled', fingerprint: 'f', paymentId: 'p1', version: 2 };
    expect(all.units.at(-1)?.map(({ stream }) => stream)).toEqual(['payment/p1', 'account/alice', 'request/c1']);
    expect(all.units.at(-1)?.at(-1)).toEqual({ stream: 'request/c1', expect: 0, facts: [key], next: key });
  });

  it('is refused on another payment, and names the first one', () => {
    const after = given({ ...world, 'request/c1': [handled] });
    expect(after.when(authorize({ paymentId: 'p2' }))).toEqual(usedOn('payment p1'));
    expect(after.when(authorize({ paymentId: 'p2', fingerprint: 'other' }))).toEqual(usedOn('payment p1'));
  });

  it('is a repetition on the first payment, though what is known of that is out of date', () => {
    const after = given({ ...world, 'request/c1': [handled] });
    expect(after.when(authorize())).toEqual({ repeats: 2 });
    expect(after.when(authorize({ fingerprint: 'other' }))).toMatchObject({ refused: { code: 'IdempotencyConflict' } });
  });

  it('is refused when it opened or changed an account', () => {
    const request = {
      type: 'RequestHandled',
      fingerprint: 'f',
      accountId: 'shop',
      version: 1,
      after: figures(),
    } as const;
    expect(given({ ...world, 'request/c1': [request] }).when(authorize())).toEqual(usedOn('account shop'));
  });

  it('is refused when it made a payment', () => {
    expect(given({ ...world, 'payment/c1': made('c1') }).when(authorize())).toEqual(usedOn('payment c1'));
  });

  it('is refused on an account when it took a payment on, or made one', () => {
    const freeze = { type: 'FreezeAccount', commandId: 'c1', fingerprint: 'f', accountId: 'bob', reason: 'r' } as const;
    const step = given({ ...world, 'request/c1': [handled] });
    expect(step.when(freeze)).toEqual(usedOn('payment p1'));
    expect(given({ ...world, 'payment/c1': made('c1') }).when(freeze)).toEqual(usedOn('payment c1'));
  });

  it('is refused for a Pay when it took another payment on, or opened an account', () => {
    const step = given({ ...world, 'request/p3': [handled] });
    expect(step.when(pay({ paymentId: 'p3', commandId: 'p3' }))).toMatchObject({
      refused: { code: 'IdempotencyConflict', message: expect.stringContaining('payment p1') as string },
    });
  });

  it('is looked for in the other place, which must not exist', () => {
    expect(elsewhere(pay({ commandId: 'c1' }))).toBe('request/c1');
    expect(elsewhere(capture({ commandId: 'c1' }))).toBe('payment/c1');
    expect(elsewhere(capture({ commandId: 'deadline:p1:expire' }))).toBeUndefined();
  });

  it('is used up by what was written only: a step that was refused leaves it free', () => {
    const after = new TestWorld();
    const opening = { type: 'OpenAccount', fingerprint: 'f', walletType: 'customer', currency: 'XOF' } as const;
    for (const accountId of ['alice', 'bob'])
      after.run({ ...opening, commandId: accountId, accountId, limit: 900n }, NOW);
    for (const paymentId of ['p1', 'p2']) after.run(pay({ paymentId, upTo: 'AUTHORIZED' }), NOW);
    expect(after.run(settle(), NOW).outcome).toBe('refused');
    expect(after.run(capture({ paymentId: 'p2' }), NOW).outcome).toBe('decided');
    expect(after.run(capture(), NOW)).toMatchObject({ outcome: 'refused', refusal: { code: 'IdempotencyConflict' } });
  });

  it('does not exist for a deadline: its id says its target', () => {
    const held = { type: 'PaymentAuthorized', held: '300', expiresAt: NOW } as const;
    const facts = [...made('p1'), held];
    const alice = wallet({ posted: '1000', held: '300' });
    const expire = { type: 'Reverse', paymentId: 'p1', fingerprint: 'expire', reason: 'expired' } as const;
    const wrote = given({ ...world, 'account/alice': alice, 'payment/p1': facts }).when(
      { ...expire, commandId: 'deadline:p1:expire' },
      LATER,
    ).wrote;
    expect(Object.keys(wrote ?? {})).toEqual(['payment/p1', 'account/alice']);
  });
});
