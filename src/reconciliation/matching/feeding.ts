import { invariant } from '../../kernel/invariant.ts';
import { type Key, weakNumberOf } from './keys.ts';
import type { Expectation, ExternalLine } from './sides.ts';
import type { StoredExpectation, StoredLine } from './store.ts';

/** What feeding does to what is there; undefined: nothing. Every store does it by these, so that order never matters. */

export function feedLine(
  stored: StoredLine | undefined,
  line: ExternalLine,
  nextNumber: () => number,
): StoredLine | undefined {
  if (stored === undefined) return { ...fresh, number: nextNumber(), line, direct: false };
  if (!stored.line.held || line.held) return undefined;
  return { ...stored, line: { ...stored.line, held: false }, waiting: true };
}

export function feedExpectation(
  stored: StoredExpectation | undefined,
  incoming: Expectation,
  nextNumber: () => number,
): StoredExpectation | undefined {
  invariant(incoming.amount > 0n, `expectation ${incoming.id}: its amount is not positive`);
  if (stored === undefined) return { ...fresh, number: nextNumber(), expectation: incoming };
  const known = stored.expectation;
  invariant(known.profile === incoming.profile, `expectation ${known.id}: it changes its profile`);
  const newest = incoming.position > known.position ? incoming : known;
  const expectation = {
    ...newest,
    tokens: union(known.tokens, incoming.tokens),
    groupTokens: union(known.groupTokens, incoming.groupTokens),
  };
  const isNews =
    newest !== known ||
    expectation.tokens.length > known.tokens.length ||
    expectation.groupTokens.length > known.groupTokens.length;
  return isNews ? { ...stored, expectation, waiting: true } : undefined;
}

/** Under which lines are to be looked at again, because this expectation is no longer what they knew. */
export function weakKeyLeft(stored: StoredExpectation | undefined, now: Expectation): Key | undefined {
  if (stored === undefined) return undefined;
  const before = weakNumberOf(stored.expectation);
  return before !== weakNumberOf(now) || stored.expectation.date !== now.date ? before : undefined;
}

const fresh = { state: 'OPEN', agreed: false, waiting: true, examined: false, changes: 0 } as const;

/** References only add up: what once was a reference of it stays one. */
function union(known: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...known, ...more])];
}
