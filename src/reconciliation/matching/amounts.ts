import type { MatchingRules } from './rules.ts';
import type { Expectation, ExternalLine } from './sides.ts';

export const abs = (amount: bigint): bigint => (amount < 0n ? -amount : amount);

export const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, one) => all + one, 0n);

/** Whether the money went the way that is expected, in the currency that is expected. */
export function sameWay(
  { amount, currency }: { readonly amount: bigint; readonly currency: string },
  expectation: Expectation,
): boolean {
  return currency === expectation.currency && amount > 0n === (expectation.direction === 'in');
}

/** What the account sees when the fee is within the amount: a bank pays out N + c, and pays in N − c. */
export function netOf({ direction, amount, fee = 0n }: Expectation): bigint {
  return direction === 'out' ? amount + fee : amount - fee;
}

/** The fee that the amount has in it, where it is exactly N, or N with the fee that is known; else undefined. */
export function exactFee(
  moved: { readonly amount: bigint; readonly currency: string },
  expectation: Expectation,
): bigint | undefined {
  if (!sameWay(moved, expectation)) return undefined;
  const amount = abs(moved.amount);
  if (amount === expectation.amount) return 0n;
  return amount === netOf(expectation) ? expectation.fee : undefined;
}

/** The fee that the line's amount has in it, where that is not more than the profile's tolerance; else undefined. */
export function tolerableFee(line: ExternalLine, expectation: Expectation, rules: MatchingRules): bigint | undefined {
  if (!sameWay(line, expectation)) return undefined;
  const fee = feeWithin(abs(line.amount), expectation);
  const { basisPoints, absolute } = rules.termsOf(line.profile);
  const most = (absolute.get(line.currency) ?? 0n) + (expectation.amount * basisPoints) / 10_000n;
  return fee > 0n && fee <= most ? fee : undefined;
}

/** How much the amount is above N where money went out, below N where it came in. */
export function feeWithin(amount: bigint, expectation: Expectation): bigint {
  return expectation.direction === 'out' ? amount - expectation.amount : expectation.amount - amount;
}
