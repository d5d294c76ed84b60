import { describe, expect, it } from 'vitest';
import { InvariantError } from './invariant.ts';
import { assertBalanced } from './ledger.ts';

/** Proves that a unit which makes or loses money in any currency does not get out. */
describe('assertBalanced', () => {
  const xof = (amount: string) => ({ amount, currency: 'XOF' });
  const eur = (amount: string) => ({ amount, currency: 'EUR' });

  it('passes nothing at all, and entries that sum to zero in each currency', () => {
    expect(() => assertBalanced([])).not.toThrow();
    expect(() => assertBalanced([xof('-5'), eur('7'), xof('2'), eur('-7'), xof('3')])).not.toThrow();
  });

  it('throws when one currency is off by one', () => {
    expect(() => assertBalanced([xof('-5'), xof('6')])).toThrow(InvariantError);
  });

  it('does not let one currency make up for another', () => {
    expect(() => assertBalanced([xof('-5'), eur('5')])).toThrow(InvariantError);
  });
});
