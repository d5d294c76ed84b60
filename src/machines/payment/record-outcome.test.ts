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

describe('a collection that was given back', () => {
  const givenBack: PaymentFact[] = [
    { type: 'PaymentInitiated', kind: 'CASH_IN', amount: '300', currency: 'XOF', payee: 'alice', provider: 'momo' },
    { type: 'PaymentAuthorized', held: '0', expiresAt: LATER },
    { ...told, instruction: 1 },
    { type: 'InstructionConfirmed', instruction: 1, providerRef: 'm-1' },
    { type: 'PaymentCaptured', amount: '300', settlesAt: LATER },
    { type: 'PaymentReversed', reason: 'requested' },
  ];
  const reversed = { 'payment/p1': givenBack, 'account/alice': wallet(figures({ posted: '0' })) };
  const settled = { ...record({ said: 'settled', providerRef: 'm-1', providerFee: 4n }), instruction: 1 };

  it('waits in suspense where its money comes all the same', () => {
    const { wrote } = given(reversed).when(settled) as { wrote: Record<string, { type: string; amount?: string }[]> };
    expect(wrote['payment/p1']).toMatchObject([{ type: 'LateSuccessPosted', instruction: 1, providerFee: '4' }]);
    expect(wrote['system/receivable:momo:XOF']).toMatchObject([{ amount: '-300' }]);
    expect(wrote['system/suspense:XOF']).toMatchObject([{ amount: '300' }]);
  });

  it('leaves nothing where only its collection is said again', () => {
    const again = { ...record({ said: 'confirmed', providerRef: 'm-1' }), instruction: 1 };
    expect(given(reversed).when(again)).toEqual({ repeats: givenBack.length });
  });
});

describe('the word of people', () => {
  const onItsWay = { ...before, 'payment/p1': sentAgain.slice(0, 3) };
  const people = (outcome: RecordOutcome['outcome']): RecordOutcome => ({ ...record(outcome), instruction: 0 });
  const no = { said: 'refused', code: 'not_carried_out', elsewhere: false } as const;

  it('is no refusal while a request is on its way', () => {
    expect(given(onItsWay).when(people(no))).toMatchObject({
      refused: { code: 'InstructionLive', connector: 'momo-a' },
    });
    expect(given(before).when(people(no))).toMatchObject({ refused: { code: 'InstructionLive' } });
  });

  it('ends what is in doubt, and proves what was carried out', () => {
    const inDoubt = { ...before, 'payment/p1': sentAgain.slice(0, 4) };
    expect(given(inDoubt).when(people(no))).toMatchObject({ wrote: {} });
    expect(given(onItsWay).when(people({ said: 'confirmed', providerRef: 'm-1' }))).toMatchObject({ wrote: {} });
  });
});

describe('a provider that contradicts itself', () => {
  const refusedFact: PaymentFact = { type: 'InstructionRefused', instruction: 1, code: 'declined', elsewhere: false };
  const failed: PaymentFact = { type: 'PaymentFailed', cause: 'requested', reason: 'declined' };
  const ended = { ...before, 'payment/p1': [...sentAgain.slice(0, 3), refusedFact, failed] };
  const accepted = { ...record({ said: 'accepted', providerRef: 'm-1' }), instruction: 1 };

  it('is noted once, however often it says so', () => {
    const { wrote } = given(ended).when(accepted) as { wrote: Record<string, PaymentFact[]> };
    const noted = wrote['payment/p1'] ?? [];
    expect(noted).toMatchObject([{ type: 'ProviderContradicted', instruction: 1, said: 'accepted' }]);
    const again = { ...accepted, commandId: 'outcome:p1:1:accepted:9' };
    expect(given({ ...ended, 'payment/p1': [...ended['payment/p1'], ...noted] }).when(again)).toEqual({ repeats: 6 });
  });
});
