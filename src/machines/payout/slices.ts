import { commandIdOf } from '../../kernel/ids.ts';
import { invariant } from '../../kernel/invariant.ts';
import type { CreatePayout } from '../commands.ts';

/** More would make one unit of the log too large, and nobody could look through them. */
export const SLICES_MAX = 200;

/**
 * The amounts of a payout's slices: as few as the rail allows, each within it, the larger ones first. Undefined: it cannot
 * be cut so, or into more than `SLICES_MAX`.
 *
 * @param min, max what one bank transaction may be, 1 ≤ min ≤ max, in minor units
 */
export function sliceAmounts(amount: bigint, min: bigint, max: bigint): bigint[] | undefined {
  invariant(min >= 1n && max >= min, `a slice is between ${min} and ${max}`);
  const count = (amount + max - 1n) / max;
  let left = amount - count * min;
  if (count < 1n || count > BigInt(SLICES_MAX) || left < 0n) return undefined;
  return Array.from({ length: Number(count) }, () => {
    const more = left < max - min ? left : max - min;
    left -= more;
    return min + more;
  });
}

/** The ids of the slices that a payout has: of the payout and their place in it. Nobody's idempotency key makes the same. */
export function sliceIdsOf({ payoutId, amount, sliceMin, sliceMax }: CreatePayout): string[] {
  const amounts = sliceAmounts(amount, sliceMin, sliceMax) ?? [];
  return amounts.map((_, index) => commandIdOf('kora', `payout:${payoutId}`, String(index)));
}
