import { describe, expect, it } from 'vitest';
import type { PaymentSeen } from '../feed/payment-seen.ts';
import type { Effect } from '../matching/store.ts';
import { carryOutEffects, type EffectStore, type Result } from './carry-out.ts';
import type { Core, CoreAnswer } from './core.ts';
import type { BookedLine } from './line-booking.ts';

/** Proves what is asked of the core, in which order, and how the ledger is believed to have the line afterwards. */
const inSuspense: BookedLine = {
  id: 'l1',
  profile: 'bank:AB',
  amount: 300n,
  currency: 'XOF',
  bookedAs: 'suspense',
  bookings: 1,
};
const settle = {
  id: 'e1',
  kind: 'settle',
  profile: 'bank:AB',
  lineIds: ['l1'],
  expectationIds: ['p1'],
  detail: { amount: '300', fee: '3', was: 'MISSING_INTERNAL', currency: 'XOF' },
} as const satisfies Effect;

async function carriedOut(effect: Effect, line: BookedLine, answer: CoreAnswer, isFree = true) {
  const asked: string[] = [];
  let noted: { result: Result; lines: readonly BookedLine[] } | undefined;
  const core: Core = {
    settle: ({ key, providerFee }) => {
      asked.push(`settle ${key} ${providerFee}`);
      return Promise.resolve(answer);
    },
    book: ({ key, kind }) => {
      asked.push(`${kind} ${key}`);
      return Promise.resolve({ outcome: 'done', paymentId: 'b' });
    },
    ask: () => Promise.reject(new Error('nobody asks here')),
    mark: (marks) => {
      asked.push(...marks.map(({ lineId, status }) => `${lineId} is ${status}`));
      return Promise.resolve();
    },
  };
  const store: EffectStore = {
    waiting: () => Promise.resolve([{ ...effect, runId: 'r1' }]),
    lines: () => Promise.resolve([line]),
    leave: () => Promise.resolve(isFree),
    payment: () => Promise.resolve({ instructed: true, status: 'CAPTURED' } as PaymentSeen),
    done: (_effect, result, lines) => {
      noted = { result, lines };
      return Promise.resolve();
    },
  };
  const found: unknown[] = [];
  expect(await carryOutEffects(store, core, { onFinding: (finding) => found.push(finding) })).toBe(1);
  expect(found).toEqual([{ profile: 'bank:AB', kind: 'matched', refused: noted?.result.outcome === 'refused' }]);
  return { asked, outcome: noted?.result.outcome, lines: noted?.lines };
}

describe('a line in suspense whose payment is found', () => {
  it('settles it, and then comes out of suspense', async () => {
    expect(await carriedOut(settle, inSuspense, { outcome: 'done', paymentId: 'p1' })).toEqual({
      asked: ['settle match:l1:p1 3', 'UNIDENTIFIED_DEBIT line:l1:2', 'l1 is matched'],
      outcome: 'done',
      lines: [{ ...inSuspense, bookedAs: 'payment', bookings: 2 }],
    });
  });

  it.each([
    ['a person has moved', { ...inSuspense, bookedAs: 'person' as const }, true],
    ['a case takes at this moment', inSuspense, false],
    ['was a fee', { ...inSuspense, bookedAs: 'fee' as const }, true],
  ])('settles nothing with money that %s', async (_what, line, isFree) => {
    expect(await carriedOut(settle, line, { outcome: 'done', paymentId: 'p1' }, isFree)).toEqual({
      asked: [],
      outcome: 'refused',
      lines: [],
    });
  });

  it('stays there where the core refuses: its money is never nowhere', async () => {
    const refused = { outcome: 'refused', code: 'IllegalTransition', message: 'no' } as const;
    expect(await carriedOut(settle, inSuspense, refused)).toEqual({
      asked: ['settle match:l1:p1 3'],
      outcome: 'refused',
      lines: [],
    });
  });
});
