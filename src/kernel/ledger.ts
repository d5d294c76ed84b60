import { invariant } from './invariant.ts';

/** One line of a unit's movement of money: signed minor units, credit +. */
export interface Entry {
  readonly amount: string;
  readonly currency: string;
}

/** Asserts that the entries of a unit sum to zero in each of their currencies: money is moved, never made. */
export function assertBalanced(entries: readonly Entry[]): void {
  const sums = new Map<string, bigint>();
  for (const { amount, currency } of entries) {
    sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(amount));
  }
  for (const [currency, sum] of sums) {
    invariant(sum === 0n, `entries of a unit do not sum to zero: ${sum.toString()} ${currency}`);
  }
}
