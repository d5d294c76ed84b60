/** What is compared: matches that stand, states, and which payments are settled by which lines, told and stored. */
export interface StandingMatch {
  readonly rule: string;
  readonly kind: string;
  readonly lineIds: readonly string[];
  readonly expectationIds: readonly string[];
  readonly fees: readonly bigint[];
}

export function matchText({ rule, lineIds, expectationIds, fees }: StandingMatch): string {
  const shares = expectationIds.map((id, at) => `${id}+${fees[at] ?? 0n}`).sort();
  return `${rule}: ${[...lineIds].sort().join(',')} = ${shares.join(',')}`;
}

export function stateText({ state, reason }: { readonly state: string; readonly reason?: string | null }): string {
  return reason === undefined || reason === null ? state : `${state} ${reason}`;
}

const pairText = (lineIds: readonly string[], expectation: string): string =>
  `${[...lineIds].sort().join(',')} = ${expectation}`;

/** Pairs that effects have settled and not displaced since. */
export function settledByEffects(
  effects: readonly {
    readonly kind: string;
    readonly lineIds: readonly string[];
    readonly expectationIds: readonly string[];
  }[],
): string[] {
  const settled = new Set<string>();
  for (const { kind, lineIds, expectationIds } of effects)
    for (const expectation of expectationIds) {
      if (kind === 'settle') settled.add(pairText(lineIds, expectation));
      if (kind === 'displaced') settled.delete(pairText(lineIds, expectation));
    }
  return [...settled].sort();
}

export function settledByMatches(matches: readonly StandingMatch[]): string[] {
  return matches
    .filter(({ kind }) => kind === 'match')
    .flatMap(({ lineIds, expectationIds }) => expectationIds.map((id) => pairText(lineIds, id)))
    .sort();
}
