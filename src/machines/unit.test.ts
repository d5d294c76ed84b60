import { describe, expect, it } from 'vitest';
import { InvariantError } from '../kernel/invariant.ts';
import { entryPosted } from './account/moves.ts';
import { figures, wallet } from './testing/given.ts';
import { walletFromFact, type WalletSnapshot } from './account/account.machine.ts';
import type { WalletFact } from './account/account.facts.ts';
import { Unit } from './unit.ts';

/** Proves that a bug of a decision ends as an exception, never as facts: unbalanced, illegal, or on nothing. */
const alice = walletFromFact(wallet({ posted: '10' })[0] as WalletFact, 1, 'alice');
const world = {
  payment: () => undefined,
  wallet: (id: string) => (id === 'alice' ? alice : undefined),
  request: () => undefined,
  payout: () => undefined,
  connector: () => undefined,
};
const entry = (of: WalletSnapshot, amount: bigint) =>
  entryPosted(of, { paymentId: 'p1', step: 'CAPTURED', amount, released: 0n, forced: false });
const system = (amount: string) =>
  ({ type: 'EntryPosted', paymentId: 'p1', step: 'CAPTURED', amount, currency: 'XOF' }) as const;

describe('a unit', () => {
  it('whose entries sum to zero is decided; each stream is in it once, at the version that was read', () => {
    const unit = new Unit(world);
    const after = unit.walletFact('alice', entry(alice, -4n));
    unit.walletFact('alice', entry(after, -1n));
    unit.systemEntry('clearing:XOF', system('3'));
    unit.systemEntry('clearing:XOF', system('2'));
    expect(unit.decided()).toMatchObject({
      changes: [
        {
          stream: 'account/alice',
          expect: 1,
          facts: [{}, { after: figures({ posted: '5' }) }],
          next: { context: { version: 3 } },
        },
        { stream: 'system/clearing:XOF', expect: 'any', facts: [{}, {}] },
      ],
    });
  });

  it('that would make or lose money is a broken invariant', () => {
    const unit = new Unit(world);
    unit.walletFact('alice', entry(alice, -4n));
    unit.systemEntry('clearing:XOF', system('3'));
    expect(() => unit.decided()).toThrow(InvariantError);
  });

  it('takes no fact that the machine does not take', () => {
    const unit = new Unit(world);
    expect(() => unit.walletFact('alice', entry(alice, -11n))).toThrow(/takes no such EntryPosted in OPEN/);
    expect(() => unit.payment('p1', [{ type: 'PaymentCaptured', amount: '1' }])).toThrow(
      /takes no PaymentCaptured in NEW/,
    );
    expect(() => unit.wallet('bob')).toThrow(InvariantError);
  });
});
