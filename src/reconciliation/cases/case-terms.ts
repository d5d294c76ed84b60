import type { CaseKind } from './case.facts.ts';

/** What the house lays down for cases. */
export interface CaseTerms {
  /** In how many days a case of the kind should be dealt with: plain days, 24 hours each. */
  readonly dueDays: Readonly<Record<CaseKind, number>>;
  /**
   * By currency, in minor units: what moves or gives up more than this in one case, all steps together, needs another person.
   * A currency that is not named has the limit 0: everything needs one.
   */
  readonly fourEyesAbove: Readonly<Record<string, bigint>>;
}

export const defaultCaseTerms: CaseTerms = {
  dueDays: { mismatch: 2, missing_internal: 3, missing_provider: 2, displaced: 1, refused: 1 },
  fourEyesAbove: {},
};

export function dueAt(terms: CaseTerms, kind: CaseKind, now: Date): string {
  return new Date(now.getTime() + terms.dueDays[kind] * 86_400_000).toISOString();
}
