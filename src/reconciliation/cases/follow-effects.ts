import type { EffectKind } from '../matching/index.ts';
import type { CaseFact, CaseKind } from './case.facts.ts';
import type { CaseTerms } from './case-terms.ts';
import { dueAt } from './case-terms.ts';
import type { EffectSeen } from './ports.ts';

/** The kind of case that an effect opens; undefined: none. What the core refused always opens one. */
export function caseKindOf({ kind, refused }: Pick<EffectSeen, 'kind' | 'refused'>): CaseKind | undefined {
  switch (kind) {
    case 'mismatch':
    case 'missing_internal':
    case 'missing_provider':
    case 'displaced':
      return kind;
    case 'settle':
    case 'known':
    case 'reversed':
    case 'reopened':
      return refused ? 'refused' : undefined;
  }
}

export function openingOf(effect: EffectSeen, kind: CaseKind, terms: CaseTerms, now: Date): CaseFact {
  const { id, kind: effectKind, profile, lineIds, expectationIds, detail, amount, refusal } = effect;
  const reason = refusal?.code ?? detail.reason;
  return {
    type: 'CaseOpened',
    kind,
    effectId: id,
    effectKind,
    profile,
    lineIds,
    expectationIds,
    amount: (amount < 0n ? -amount : amount).toString(),
    direction: amount < 0n ? 'out' : 'in',
    currency: detail.currency,
    ...(reason !== undefined && { reason }),
    dueAt: dueAt(terms, kind, now),
  };
}

/** What an open case is about. */
export interface CaseSides {
  readonly kind: CaseKind;
  readonly lineIds: readonly string[];
  readonly expectationIds: readonly string[];
}

/**
 * Why an effect ends a case that another one opened; undefined: it does not. A case with lines is about their money, and goes
 * with them; one without is about its payments. A mismatch is about both.
 */
export function endedBy(
  effect: Pick<EffectSeen, 'kind' | 'lineIds' | 'expectationIds' | 'refused'>,
  about: CaseSides,
): 'matched' | 'reopened' | 'superseded' | undefined {
  const lines = about.lineIds.some((id) => effect.lineIds.includes(id));
  const expectations = about.expectationIds.some((id) => effect.expectationIds.includes(id));
  const concerns =
    about.lineIds.length === 0 ? expectations : about.kind === 'mismatch' ? lines || expectations : lines;
  if (!concerns || effect.refused) return undefined;
  return causes[effect.kind](about.kind);
}

type Cause = ReturnType<typeof endedBy>;
const matched = (): Cause => 'matched';
const superseded = (): Cause => 'superseded';
const causes: Readonly<Record<EffectKind, (kind: CaseKind) => Cause>> = {
  settle: matched,
  known: matched,
  reversed: matched,
  // That a displaced line stands open again is no news: its money waits in suspense all the same.
  reopened: (kind) => (kind === 'displaced' ? undefined : 'reopened'),
  mismatch: superseded,
  missing_internal: superseded,
  missing_provider: superseded,
  displaced: superseded,
};
