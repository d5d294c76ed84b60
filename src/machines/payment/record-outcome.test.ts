import { describe, expect, it } from 'vitest';
import type { RecordOutcome } from '../commands.ts';
import { EARLIER, figures, given, LATER, NOW, wallet } from '../testing/given.ts';
import type { PaymentFact } from './payment.facts.ts';

/** Proves what is written of the outcome of an instruction that was sent again. */
const told = { type: 'InstructionIssued', connector: 'momo-a', provider: 'momo', sendBefore: EARLIER } as const;
const sentAgain: PaymentFact[] = [
  { type: 'PaymentInitiated', kind: 'CASH_OUT', amount: '300', currency: 'XOF', payer: 'alice', provider: 'momo' },
  { type: 'PaymentAuthorized', held: '300', expiresAt: LATER },
  { ...told, instruction: 1, resendAt: NOW },
  { type: 'InstructionInDoubt', instruction: 1, reason: 'no answer' },
  { ...told, instruction: 2, resendAt: LATER },
];
const before = {
  'payment/p1': sentAgain,
  'account/alice': wallet(figures({ posted: '300', held: '300' })),
};
const record = (outcome: RecordOutcome['outcome']): RecordOutcome => ({
  type: 'RecordOutcome',
  paymentId: 'p1',
  commandId: 'outcome:p1:2:x:5',
  fingerprint: 'f',
  instruction: 2,
  outcome,
  settlesAt: LATER,
});

describe('what was sent again', () => {
  it('is in doubt again where its answer is lost too', () => {
    expect(given(before).when(record({ said: 'unknown', reason: 'no answer' }))).toEqual({
      wrote: {
        'payment/p1': [
          {
            type: 'InstructionInDoubt',
            instruction: 2,
            reason: 'no answer',
            commandId: 'outcome:p1:2:x:5',
            fingerprint: 'f',
            facts: 1,
          },
        ],
      },
    });
  });
});
