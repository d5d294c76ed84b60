import { describe, expect, it } from 'vitest';
import { caseTermsOf, defaultCaseTerms, dueAt } from './case-terms.ts';

const nothing = { fourEyesAbove: undefined, caseDueDays: undefined };

/** Proves what the house can lay down for cases, and that what it cannot mean is said. */
describe('the terms of cases', () => {
  it('are the built-in ones where nothing is said', () => {
    expect(caseTermsOf(nothing)).toEqual(defaultCaseTerms);
  });

  it('have other days for the kinds that are named, and only for them', () => {
    const terms = caseTermsOf({ ...nothing, caseDueDays: 'mismatch=0, missing_internal=10' });
    expect(terms.dueDays).toEqual({ ...defaultCaseTerms.dueDays, mismatch: 0, missing_internal: 10 });
    expect(dueAt(terms, 'missing_internal', new Date('2026-11-27T08:00:00Z'))).toBe('2026-12-07T08:00:00.000Z');
  });

  it.each(['mismatch', 'mismatch=', 'mismatch=-1', 'mismatch=1.5', 'mismatch=366', 'nothing=1', 'constructor=1', ''])(
    'say that %j are no days, and what is wanted',
    (caseDueDays) => {
      expect(() => caseTermsOf({ ...nothing, caseDueDays })).toThrow(
        /^KORA_CASE_DUE_DAYS: days, 0 to 365, .* of mismatch, missing_internal, missing_provider, displaced, refused, not "/,
      );
    },
  );

  it('take no kind twice', () => {
    expect(() => caseTermsOf({ ...nothing, caseDueDays: 'mismatch=1,mismatch=2' })).toThrow('mismatch is said twice');
  });

  it.each(['XOF', 'XOF=-1', 'xof=1', 'XOF=1.5'])('say that %j are no limits', (fourEyesAbove) => {
    expect(() => caseTermsOf({ ...nothing, fourEyesAbove })).toThrow('KORA_FOUR_EYES_ABOVE: limits as');
  });
});
