import { type CaseKind, caseKinds } from './case.facts.ts';

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
 * The terms that are built in, but for what is said.
 *
 * @param fourEyesAbove `XOF=500000,GHS=100000`: minor units by currency
 * @param caseDueDays `mismatch=2,missing_internal=3`: days by kind, 0 to 365
 * @throws where they are something else
 */
export function caseTermsOf({
  fourEyesAbove: fourEyes,
  caseDueDays,
}: {
  readonly fourEyesAbove: string | undefined;
  readonly caseDueDays: string | undefined;
}): CaseTerms {
  return { dueDays: dueDaysOf(caseDueDays), fourEyesAbove: limitsOf(fourEyes) };
}

function limitsOf(text: string | undefined): Record<string, bigint> {
  const limits: Record<string, bigint> = {};
  for (const part of text?.split(',') ?? []) {
    const [, currency, amount] = /^([A-Z]{3})=([0-9]{1,30})$/.exec(part.trim()) ?? [];
    if (currency === undefined || amount === undefined)
      throw new Error(`KORA_FOUR_EYES_ABOVE: limits as XOF=500000,GHS=100000 are wanted, not ${JSON.stringify(part)}`);
    limits[currency] = BigInt(amount);
  }
  return limits;
}

function dueDaysOf(text: string | undefined): CaseTerms['dueDays'] {
  const said: Partial<Record<CaseKind, number>> = {};
  for (const part of text?.split(',') ?? []) {
    const [, name, days] = /^([a-z_]+)=([0-9]{1,3})$/.exec(part.trim()) ?? [];
    const kind = caseKinds.find((one) => one === name);
    if (kind === undefined || Number(days) > 365)
      throw new Error(
        `KORA_CASE_DUE_DAYS: days, 0 to 365, as mismatch=2,missing_internal=3 are wanted, of ${caseKinds.join(', ')}, not ${JSON.stringify(part)}`,
      );
    // Which of two was meant, nobody can tell.
    if (said[kind] !== undefined) throw new Error(`KORA_CASE_DUE_DAYS: ${kind} is said twice`);
    said[kind] = Number(days);
  }
  return { ...defaultCaseTerms.dueDays, ...said };
}
