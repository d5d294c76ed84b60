import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { SliceStatus } from '../machines/payout/slice.machine.ts';
import { figuresOf, type SliceSum, type WholeStatus } from './payout-status.ts';

/** Proves that the parts of a payout are its amount, and that its status says how far they have come. */
const statuses = ['pending', 'sent', 'in_doubt', 'settled', 'failed'] as const satisfies readonly SliceStatus[];
const slice = fc
  .tuple(fc.constantFrom(...statuses), fc.bigInt(1n, 10n ** 6n), fc.nat(2))
  .map(([status, amount, back]): SliceSum => ({
    status,
    amount,
    returned: status === 'settled' && back === 2 ? amount / 2n : 0n,
  }));
const total = (slices: readonly SliceSum[]): bigint => slices.reduce((sum, { amount }) => sum + amount, 0n);
const isLive = ({ status }: SliceSum): boolean => status === 'pending' || status === 'sent' || status === 'in_doubt';

describe('figuresOf', () => {
  test.prop(
    [fc.array(slice, { minLength: 1, maxLength: 20 }), fc.constantFrom('OPEN' as const, 'CANCELLED' as const)],
    {
      numRuns: 1_000,
    },
  )('adds up, whatever became of the slices, and by sums as by slices', (slices, state) => {
    const amount = total(slices);
    const { status, money } = figuresOf({ state, amount }, slices);
    const { pending, sent, inDoubt, settled, failed, returned } = money;
    expect([pending, sent, inDoubt, settled, failed].reduce((sum, part) => sum + BigInt(part), 0n)).toBe(amount);
    expect(BigInt(returned)).toBeLessThanOrEqual(BigInt(settled));

    // The status is over exactly when nothing can move any more, and paid exactly when something was paid.
    expect(status === 'pending' || status === 'processing').toBe(slices.some(isLive));
    expect(status === 'settled').toBe(slices.every((one) => one.status === 'settled'));
    const somePaid = slices.some((one) => one.status === 'settled');
    expect(status === 'partially_settled').toBe(!slices.some(isLive) && somePaid && status !== 'settled');
    if (status === 'failed' || status === 'cancelled') {
      expect(somePaid).toBe(false);
      expect(status === 'cancelled').toBe(state === 'CANCELLED');
    }

    const sums = statuses.map((one): SliceSum => {
      const of = slices.filter((each) => each.status === one);
      return { status: one, amount: total(of), returned: of.reduce((sum, each) => sum + each.returned, 0n) };
    });
    expect(figuresOf({ state, amount }, sums)).toEqual({ status, money });
  });

  it.each<[WholeStatus, readonly SliceStatus[]]>([
    ['pending', ['pending', 'pending']],
    ['processing', ['pending', 'failed']],
    ['processing', ['settled', 'in_doubt']],
    ['partially_settled', ['settled', 'failed']],
    ['settled', ['settled', 'settled']],
    ['failed', ['failed', 'failed']],
  ])('says %s of %j', (status, of) => {
    const slices = of.map((one) => ({ status: one, amount: 5n, returned: 0n }));
    expect(figuresOf({ state: 'OPEN', amount: 10n }, slices).status).toBe(status);
  });

  it('says of a refused payout that all of it failed: it never had slices', () => {
    const { status, money } = figuresOf({ state: 'FAILED', amount: 10n }, []);
    expect({ status, failed: money.failed }).toEqual({ status: 'failed', failed: '10' });
  });
});
