import type { Day } from './days.ts';
import { differenceOf } from './difference.ts';
import { Neighbourhood } from './neighbourhood.ts';
import type { MatchingRules } from './rules.ts';
import { solve } from './solve.ts';
import type { Counts, MatchingTransaction } from './store.ts';

export interface Examination {
  readonly runId: string;
  readonly today: Day;
  readonly rules: MatchingRules;
  /** Of each side. */
  readonly batchSize: number;
}

/**
 * Looks at the next of what is new, changed or due, with everything around it, and writes what comes out.
 *
 * @returns how many of what; undefined: nothing was left to be looked at
 */
export async function examineNext(
  tx: MatchingTransaction,
  { runId, today, rules, batchSize }: Examination,
): Promise<Counts | undefined> {
  const seeds = await tx.due(today, batchSize);
  if (seeds.lines.length + seeds.expectations.length === 0) return undefined;
  const around = await Neighbourhood.around(tx, seeds, rules.windowDays);
  const solution = solve({
    lines: [...around.lines.values(), ...around.weakLines.values()].map(({ line }) => line),
    expectations: [...around.expectations.values(), ...around.weakExpectations.values()].map((one) => one.expectation),
    decisions: [...around.decisions.values()],
    rules,
    today,
  });
  const lastMatchId = await tx.lastMatchId();
  const before = { mayChange: around.mayChange(), matches: around.matches, lastMatchId, rulesVersion: rules.version };
  const changes = differenceOf(before, solution);
  await tx.write(changes, { id: runId, rulesVersion: rules.version });
  const counts: Record<string, number> = { lines: seeds.lines.length, expectations: seeds.expectations.length };
  const count = (name: string): void => void (counts[name] = (counts[name] ?? 0) + 1);
  for (const { rule, kind } of changes.made) if (kind === 'match') count(`matched.${rule}`);
  for (const { kind } of changes.effects) count(kind);
  return counts;
}
