/** Rules that bring one line to one expectation by a reference, or to none. */
import { exactFee, tolerableFee } from './amounts.ts';
import { type Board, byId, compare, daysApart, type Edge } from './board.ts';
import type { KnownRule } from './rules.ts';
import type { ExternalLine } from './sides.ts';
import { dayOf } from './days.ts';

/** The reference is the line's own, and the amount is exact. */
export function matchByReference(board: Board, rule: string): void {
  matchPairs(board, rule, (edge) => (edge.via === 'reference' ? exactFee(edge.line, edge.expectation) : undefined));
}

/** The reference is a word of the text, and the amount is exact. */
export function matchByText(board: Board, rule: string): void {
  matchPairs(board, rule, (edge) => (edge.via === 'text' ? exactFee(edge.line, edge.expectation) : undefined));
}

/** A reference agrees, and the amount differs from N by no more than a fee may. */
export function matchWithFee(board: Board, rule: string): void {
  matchPairs(board, rule, (edge) =>
    edge.via === 'part' ? undefined : tolerableFee(edge.line, edge.expectation, board.rules),
  );
}

/** Says what a line is that is no payment's. */
export function takeKnown(board: Board, { id, kind: _, posting, sign, codes, profiles }: KnownRule): void {
  const patterns = codes.map((code) => code.split('/'));
  for (const line of board.lines) {
    if (!board.isFree(line) || line.reversal || line.kindCode === undefined) continue;
    if (line.amount > 0n !== (sign === 'credit') || profiles?.includes(line.profile) === false) continue;
    const segments = line.kindCode.split('/');
    if (!patterns.some((pattern) => isLike(segments, pattern))) continue;
    const because = { fields: ['kindCode', 'sign'], posting };
    board.take({ rule: id, kind: 'known', lines: [line], shares: [], because });
  }
}

function isLike(segments: readonly string[], pattern: readonly string[]): boolean {
  return segments.length === pattern.length && pattern.every((one, at) => one === '*' || one === segments[at]);
}

/** Brings a reversal to the line that it takes back: the same account and reference, the same amount the other way. */
export function matchReversals(board: Board, rule: string): void {
  if (!board.lines.some(({ reversal }) => reversal)) return;
  const byToken = new Map<string, ExternalLine[]>();
  for (const line of board.lines) {
    if (line.reversal) continue;
    for (const token of new Set(line.tokens)) {
      const key = reversalKey(line, token, line.amount);
      const others = byToken.get(key);
      if (others === undefined) byToken.set(key, [line]);
      else others.push(line);
    }
  }
  const pairs = board.lines
    .filter((line) => line.reversal)
    .flatMap((line) =>
      [...new Set(line.tokens)].flatMap((token) =>
        (byToken.get(reversalKey(line, token, -line.amount)) ?? []).map((original) => ({
          line,
          original,
          token,
          days: dayOf(line.valueDate) - dayOf(original.valueDate),
        })),
      ),
    )
    .filter(({ days }) => days >= 0)
    .sort(
      (a, b) => a.days - b.days || byId(a.line, b.line) || byId(a.original, b.original) || compare(a.token, b.token),
    );
  for (const { line, original, token } of pairs) {
    if (!board.isFree(line) || !board.isFree(original)) continue;
    const because = { fields: ['account', 'tokens', 'amount'], token };
    board.take({ rule, kind: 'reversal', lines: [original, line], shares: [], because });
  }
}

const reversalKey = ({ profile, account, currency }: ExternalLine, token: string, amount: bigint): string =>
  [profile, account, currency, amount, token].join('\0');

/** Free pairs that the rule allows, the smallest fee and the nearest days first: no pair that comes later matters to one that was taken. */
function matchPairs(board: Board, rule: string, allowedFee: (edge: Edge) => bigint | undefined): void {
  const pairs: { readonly edge: Edge; readonly fee: bigint; readonly days: number }[] = [];
  for (const line of board.lines) {
    if (!board.isFree(line)) continue;
    for (const edge of board.edgesOf(line)) {
      if (!board.isFree(edge.expectation) || board.isForbidden(line, edge.expectation)) continue;
      const fee = allowedFee(edge);
      if (fee !== undefined) pairs.push({ edge, fee, days: daysApart(line, edge.expectation) });
    }
  }
  pairs.sort(
    (a, b) =>
      liveFirst(a.edge, b.edge) ||
      (a.fee < b.fee ? -1 : a.fee > b.fee ? 1 : 0) ||
      a.days - b.days ||
      byId(a.edge.line, b.edge.line) ||
      byId(a.edge.expectation, b.edge.expectation),
  );
  for (const { edge, fee } of pairs) {
    const { line, expectation, via, token } = edge;
    if (!board.isFree(line) || !board.isFree(expectation)) continue;
    const because = { fields: [via === 'reference' ? 'tokens' : 'textTokens', 'amount'], token };
    board.take({ rule, kind: 'match', lines: [line], shares: [{ expectation, fee }], because });
  }
}

function liveFirst(a: Edge, b: Edge): number {
  return Number(a.expectation.withdrawn ?? false) - Number(b.expectation.withdrawn ?? false);
}
