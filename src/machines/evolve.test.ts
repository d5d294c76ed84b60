import { test as property, fc } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createActor } from 'xstate';
import type { AccountStatus, WalletFact, WalletFigures } from './account/account.facts.ts';
import { accountMachine, unopenedWallet, walletFromFact, type WalletContext } from './account/account.machine.ts';
import { evolvePayment, evolveWallet } from './evolve.ts';
import type { PaymentFact, PaymentKind } from './payment/payment.facts.ts';
import { paymentMachine, type PaymentSnapshot } from './payment/payment.machine.ts';
import { figures } from './testing/given.ts';

/**
 * Proves that a fact changes a state exactly as an XState actor of the machine would change it, though no actor is built.
 */

// Small figures, so that facts often fit one another.
const amount = fc.constantFrom('0', '1', '2', '3', '-1');
const id = fc.constantFrom('r1', 'r2');
const applied = fc.option(
  fc.record({ commandId: fc.constantFrom('c1', 'c2'), fingerprint: id, facts: fc.constantFrom(1, 2) }),
  {
    nil: {},
  },
);
const fact = (of: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<PaymentFact> =>
  fc.tuple(fc.record(of), applied).map(([fields, command]) => ({ ...fields, ...command }) as PaymentFact);
const type = (name: PaymentFact['type']) => ({ type: fc.constant(name) });
const kinds = fc.constantFrom<PaymentKind[]>('P2P', 'CASH_IN', 'MERCHANT', 'MERCHANT', 'REFUND');
const reason = fc.constantFrom('declined', 'requested');
const paymentFact = fc.oneof(
  fact({ ...type('PaymentInitiated'), kind: kinds, amount, currency: fc.constant('XOF') }),
  fact({ ...type('PaymentAuthorized'), held: amount }),
  fact({ ...type('PaymentCaptured'), amount }),
  fact({ ...type('PaymentSettled'), fee: amount, providerFee: amount }),
  fact({ ...type('PaymentFailed'), cause: fc.constantFrom('refused', 'requested'), reason }),
  fact({ ...type('PaymentReversed'), reason }),
  fact({ ...type('RefundReserved'), refund: id, amount }),
  fact({ ...type('RefundReleased'), refund: id, amount }),
  fact({ ...type('RefundRefused'), refund: id, amount, reason }),
);

const status = fc.constantFrom<AccountStatus[]>('OPEN', 'OPEN', 'FROZEN', 'CLOSED');
const after: fc.Arbitrary<WalletFigures> = fc
  .record({ status, posted: amount, held: amount, limit: amount })
  .map((of) => figures(of));
const walletTypes = ['AccountOpened', 'AccountFrozen', 'AccountUnfrozen', 'AccountClosed', 'AccountLimitSet'] as const;
const moves = ['HoldPlaced', 'HoldReleased', 'EntryPosted', 'EntryPosted', 'EntryPosted', 'PaymentRefused'] as const;
const walletFact = fc
  .record({
    type: fc.constantFrom(...walletTypes, ...moves),
    after,
    amount,
    released: fc.option(amount, { nil: undefined }),
    forced: fc.constantFrom(undefined, true),
    currency: fc.constant('XOF'),
  })
  .map((of) => of as unknown as WalletFact);

describe('evolving', () => {
  // Facts in the order of a life come far; arbitrary ones in between try what is illegal.
  const life: PaymentFact[] = [
    { type: 'PaymentInitiated', kind: 'MERCHANT', amount: '3', currency: 'XOF', payer: 'alice', payee: 'shop' },
    {
      type: 'PaymentAuthorized',
      held: '3',
      expiresAt: '2024-03-01T12:00:00.000Z',
      commandId: 'c1',
      fingerprint: 'f',
      facts: 1,
    },
    { type: 'PaymentCaptured', amount: '2' },
    { type: 'PaymentSettled', fee: '1', providerFee: '0' },
  ];
  const history = fc
    .tuple(fc.nat({ max: 4 }), fc.array(paymentFact, { maxLength: 8, size: 'max' }))
    .map(([lived, then]) => [...life.slice(0, lived), ...then]);

  property.prop([history], { numRuns: 1_000 })('a payment: as an actor of its machine does', (facts) => {
    const actor = createActor(paymentMachine).start();
    let state: PaymentSnapshot | undefined;
    for (const one of facts) {
      const before = actor.getSnapshot();
      actor.send(one);
      const now = actor.getSnapshot();
      const next = evolvePayment(state, one, '');
      if (next === 'illegal') expect(now).toBe(before);
      else {
        expect({ value: now.value, context: now.context }).toEqual(next);
        expect(now).not.toBe(before);
        state = next;
      }
    }
  });

  property.prop(
    [
      status,
      fc.record({ posted: amount, held: amount, limit: amount }),
      fc.array(walletFact, { maxLength: 12, size: 'max' }),
    ],
    { numRuns: 1_000 },
  )('a wallet: as an actor of its machine does', (value, { posted, held, limit }, facts) => {
    const context: WalletContext = {
      ...unopenedWallet('').context,
      currency: 'XOF',
      posted: BigInt(posted),
      held: BigInt(held),
      limit: BigInt(limit),
    };
    const actor = createActor(accountMachine, { snapshot: accountMachine.resolveState({ value, context }) }).start();
    let state = { value, context };
    for (const one of facts) {
      const before = actor.getSnapshot();
      actor.send(one);
      const now = actor.getSnapshot();
      const next = evolveWallet(state, one, '');
      if (next === 'illegal') expect(now).toBe(before);
      else {
        expect({ value: now.value, context: now.context }).toEqual(next);
        expect(walletFromFact(one, next.context.version, '')).toEqual(next);
        state = next;
      }
    }
  });
});
