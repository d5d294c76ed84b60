import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { SLICES_MAX, sliceAmounts } from './slices.ts';

/** Proves that a payout is cut into slices that add up to it, and that every one of them fits the rail. */
describe('sliceAmounts', () => {
  const figures = fc.tuple(fc.bigInt(1n, 10n ** 9n), fc.bigInt(1n, 10n ** 6n), fc.bigInt(0n, 10n ** 6n));

  test.prop([figures], { numRuns: 2_000 })('adds up, and stays within the rail', ([amount, min, above]) => {
    const max = min + above;
    const slices = sliceAmounts(amount, min, max);
    const fewest = (amount + max - 1n) / max;
    if (slices === undefined) {
      // Nobody could do it in so few, or it is too many.
      expect(fewest > BigInt(SLICES_MAX) || amount < fewest * min).toBe(true);
      return;
    }
    expect(slices.reduce((sum, one) => sum + one, 0n)).toBe(amount);
    expect(slices.every((one) => one >= min && one <= max)).toBe(true);
    expect(BigInt(slices.length)).toBe(fewest);
  });

  it('takes from the one before when the rest is too little', () => {
    expect(sliceAmounts(2_001n, 100n, 1_000n)).toEqual([1_000n, 901n, 100n]);
    expect(sliceAmounts(2_000n, 100n, 1_000n)).toEqual([1_000n, 1_000n]);
    expect(sliceAmounts(99n, 100n, 1_000n)).toBeUndefined();
    expect(sliceAmounts(1_001n, 1_000n, 1_000n)).toBeUndefined();
  });
});
