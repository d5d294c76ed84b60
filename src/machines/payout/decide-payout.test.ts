import { describe, expect, it } from 'vitest';
import type { CancelPayout } from '../commands.ts';
import { figures, given, wallet } from '../testing/given.ts';

/** Proves that a payout is not cancelled by somebody who does not see its slices. */
const cancel: CancelPayout = {
  type: 'CancelPayout',
  payoutId: 'o1',
  commandId: 'c1',
  fingerprint: 'f',
  reason: 'not wanted',
};

describe('the cancelling of a payout', () => {
  it('is not decided where a slice of it is not seen: it would be left as it is, and nobody told', () => {
    const created = {
      type: 'PayoutCreated',
      amount: '300',
      currency: 'XOF',
      payer: 'till',
      provider: 'momo',
      beneficiary: 'iban-1',
      slices: [{ paymentId: 's1', amount: '300' }],
    } as const;
    const before = {
      'payout/o1': [created],
      'account/till': wallet(figures({ type: 'treasury', posted: '300', held: '300' })),
    };
    expect(() => given(before).when(cancel)).toThrow('slice s1, which is not there');
  });
});
