/** Rules that bring one line to many expectations, and many lines to one. */
import { abs, exactFee, netOf, sameWay, sum } from './amounts.ts';
import { type Board, byId, compare, daysApart, type Share } from './board.ts';
import type { Expectation, ExternalLine } from './sides.ts';

/** A batch booking whose parts say what they are: every part is one expectation, exactly, and they add up to the line. */
export function matchParts(board: Board, rule: string): void {
  for (const line of byDay(board.lines)) {
    if (!board.isFree(line) || line.parts === undefined || line.parts.length === 0) continue;
    if (sum(line.parts.map(({ amount }) => amount)) !== line.amount) continue;
    const shares = sharesOfParts(board, line, line.parts);
    if (shares === undefined) continue;
    board.take({ rule, kind: 'match', lines: [line], shares, because: { fields: ['parts.tokens', 'parts.amount'] } });
  }
}

function sharesOfParts(
  board: Board,
  line: ExternalLine,
  parts: NonNullable<ExternalLine['parts']>,
): Share[] | undefined {
  const shares = new Map<string, Share>();
  const byToken = new Map<string, Expectation[]>();
  for (const { expectation } of board.edgesOf(line)) {
    if (!board.isFree(expectation) || board.isForbidden(line, expectation)) continue;
    for (const token of expectation.tokens) byToken.set(token, [...(byToken.get(token) ?? []), expectation]);
  }
  for (const { amount, tokens } of parts) {
    const [best] = tokens
      .flatMap((token) => byToken.get(token) ?? [])
      .filter(({ id }) => !shares.has(id))
      .map((expectation) => ({ expectation, fee: exactFee({ amount, currency: line.currency }, expectation) }))
      .filter((share): share is Share => share.fee !== undefined)
      .sort((a, b) => nearest(line, a.expectation, b.expectation));
    if (best === undefined) return undefined;
    shares.set(best.expectation.id, best);
  }
  return [...shares.values()];
}

function nearest(line: ExternalLine, a: Expectation, b: Expectation): number {
  return (
    Number(a.withdrawn ?? false) - Number(b.withdrawn ?? false) || daysApart(line, a) - daysApart(line, b) || byId(a, b)
  );
}

/** A line with the reference of a whole batch: what is still free of the batch adds up to it, with the known fees or without. */
export function matchGroups(board: Board, rule: string): void {
  for (const line of byDay(board.lines)) {
    if (!board.isFree(line)) continue;
    for (const [token, all] of board.groupsOf(line)) {
      const members = all.filter(
        (one) => board.isFree(one) && one.withdrawn !== true && sameWay(line, one) && !board.isForbidden(line, one),
      );
      const shares = sharesOf(members, abs(line.amount));
      if (shares === undefined) continue;
      const because = { fields: ['groupTokens', 'amount'], token };
      board.take({ rule, kind: 'match', lines: [line], shares, because });
      break;
    }
  }
}

function sharesOf(members: readonly Expectation[], amount: bigint): Share[] | undefined {
  if (members.length === 0) return undefined;
  if (sum(members.map((one) => one.amount)) === amount) return members.map((expectation) => ({ expectation, fee: 0n }));
  if (sum(members.map(netOf)) === amount)
    return members.map((expectation) => ({ expectation, fee: expectation.fee ?? 0n }));
  return undefined;
}

/** Several lines with the reference of one expectation: all of them together are exactly it. */
export function matchSplits(board: Board, rule: string): void {
  for (const expectation of byDate(board.expectations)) {
    if (!board.isFree(expectation)) continue;
    const edges = board
      .edgesTo(expectation)
      .filter(
        ({ line, via }) =>
          via !== 'part' && board.isFree(line) && sameWay(line, expectation) && !board.isForbidden(line, expectation),
      );
    const [first] = edges;
    if (first === undefined || edges.length < 2) continue;
    const lines = edges.map(({ line }) => line).sort(byId);
    const amount = sum(lines.map((line) => line.amount));
    const fee = exactFee({ amount, currency: expectation.currency }, expectation);
    if (fee === undefined) continue;
    const because = { fields: ['tokens', 'amount'], token: edges.map(({ token }) => token).sort(compare)[0] ?? '' };
    board.take({ rule, kind: 'match', lines, shares: [{ expectation, fee }], because });
  }
}

export function byDay(lines: readonly ExternalLine[]): ExternalLine[] {
  return [...lines].sort((a, b) => compare(a.valueDate, b.valueDate) || byId(a, b));
}

function byDate(expectations: readonly Expectation[]): Expectation[] {
  return [...expectations].sort((a, b) => compare(a.date, b.date) || byId(a, b));
}
