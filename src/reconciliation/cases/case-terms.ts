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

/**
 * The terms that are built in, with these limits.
 *
 * @param fourEyes `XOF=500000,GHS=100000`: minor units by currency
 * @throws where it is something else
 */
export function caseTermsOf(fourEyes: string | undefined): CaseTerms {
  const fourEyesAbove: Record<string, bigint> = {};
  for (const part of fourEyes?.split(',') ?? []) {
    const [, currency, amount] = /^([A-Z]{3})=([0-9]{1,30})$/.exec(part.trim()) ?? [];
    if (currency === undefined || amount === undefined)
      throw new Error(`KORA_FOUR_EYES_ABOVE: limits as XOF=500000,GHS=100000 are wanted, not ${JSON.stringify(part)}`);
    fourEyesAbove[currency] = BigInt(amount);
  }
  return { ...defaultCaseTerms, fourEyesAbove };
}
