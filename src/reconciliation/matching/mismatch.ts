import { abs, sum } from './amounts.ts';
import { type Board, byId, daysApart, type Match } from './board.ts';
import { byDay } from './several.ts';
import type { Expectation, ExternalLine } from './sides.ts';

/** What refers to one another and does not agree, when all rules are through. It is for people: no money moves on it. */
export function pairMismatches(board: Board): void {
  for (const line of byDay(board.lines)) {
    if (!board.isFree(line) || line.reversal) continue;
    const match = mismatchOf(board, line);
    if (match !== undefined) board.take(match);
  }
}

function mismatchOf(board: Board, line: ExternalLine): Match | undefined {
  const free = freeOf(board, line);
  if (line.parts !== undefined && free.length > 0) return mismatch([line], free, 'parts.tokens');
  const [nearest] = free.sort((a, b) => daysApart(line, a) - daysApart(line, b) || byId(a, b));
  if (nearest !== undefined) return mismatch([line, ...othersOf(board, line, nearest)], [nearest], 'tokens');
  for (const [token, members] of board.groupsOf(line)) {
    const left = members.filter((one) => board.isFree(one) && !board.isForbidden(line, one));
    if (left.length > 0) return mismatch([line], left, 'groupTokens', token);
  }
  return undefined;
}

function freeOf(board: Board, line: ExternalLine): Expectation[] {
  return board
    .edgesOf(line)
    .map(({ expectation }) => expectation)
    .filter((one) => board.isFree(one) && !board.isForbidden(line, one));
}

/** Further lines that could only be the same one: a payment in several lines whose sum is wrong is one case, not many. */
function othersOf(board: Board, line: ExternalLine, expectation: Expectation): ExternalLine[] {
  return board
    .edgesTo(expectation)
    .map((edge) => edge.line)
    .filter(
      (other) =>
        other !== line &&
        other.parts === undefined &&
        board.isFree(other) &&
        freeOf(board, other).every(({ id }) => id === expectation.id) &&
        !board.isForbidden(other, expectation),
    )
    .sort(byId);
}

function mismatch(
  lines: readonly ExternalLine[],
  expectations: readonly Expectation[],
  field: string,
  token?: string,
): Match {
  const difference = abs(sum(lines.map(({ amount }) => amount))) - sum(expectations.map(({ amount }) => amount));
  return {
    rule: 'mismatch',
    kind: 'mismatch',
    lines,
    shares: expectations.map((expectation) => ({ expectation, fee: 0n })),
    because: { fields: [field], difference, ...(token !== undefined && { token }) },
  };
}
