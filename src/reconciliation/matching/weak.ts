import { abs } from './amounts.ts';
import type { Board } from './board.ts';
import { type Day, dayOf } from './days.ts';
import type { Expectation, ExternalLine } from './sides.ts';

/** What the weak rule leaves behind: who has to wait until when, and who has several that it could be. */
export interface WeakRest {
  /** The first day on which the pair may be matched, by `line <id>` and `expectation <id>`. */
  readonly waiting: ReadonlyMap<string, Day>;
  readonly ambiguous: ReadonlySet<string>;
}

/** What has to be equal; undefined: it never takes part. */
export function weakKeyOfLine(line: ExternalLine): string | undefined {
  if (line.reversal || line.counterparty === undefined || line.parts !== undefined || line.amount === 0n)
    return undefined;
  const direction = line.amount > 0n ? 'in' : 'out';
  return weakKey(line.profile, line.currency, direction, abs(line.amount), line.counterparty);
}

export function weakKeyOf(one: Expectation): string | undefined {
  if (one.counterparty === undefined || one.withdrawn === true) return undefined;
  return weakKey(one.profile, one.currency, one.direction, one.amount, one.counterparty);
}

function weakKey(profile: string, currency: string, direction: string, amount: bigint, counterparty: string): string {
  return [profile, currency, direction, amount, counterparty].join('\0');
}

/**
 * Amount, days and counterparty, of those that no reference ties to anything. Each must be the only one that the other
 * could be; and the days in which a second one could come must be over, so that a match is seldom taken back.
 */
export function matchByCounterparty(board: Board, rule: string): WeakRest {
  const { byLine, byExpectation } = candidates(board);
  const waiting = new Map<string, Day>();
  const ambiguous = new Set<string>();
  for (const [line, found] of byLine) {
    const [expectation] = found;
    const unique = found.length === 1 && expectation !== undefined && byExpectation.get(expectation)?.length === 1;
    if (!unique) {
      ambiguous.add(`line ${line.id}`);
      for (const { id } of found) ambiguous.add(`expectation ${id}`);
      continue;
    }
    const { daysBefore, daysAfter } = board.rules.termsOf(line.profile);
    const ripe = Math.max(dayOf(line.valueDate) + daysBefore, dayOf(expectation.date) + daysAfter) + 1;
    if (ripe > board.today) {
      waiting.set(`line ${line.id}`, ripe).set(`expectation ${expectation.id}`, ripe);
      continue;
    }
    const because = { fields: ['amount', 'valueDate', 'counterparty'] };
    board.take({ rule, kind: 'match', lines: [line], shares: [{ expectation, fee: 0n }], because });
  }
  return { waiting, ambiguous };
}

function candidates(board: Board) {
  const byKey = new Map<string, Expectation[]>();
  for (const one of board.expectations) {
    if (board.isAgreed(one) || !board.isFree(one)) continue;
    const key = weakKeyOf(one);
    if (key === undefined) continue;
    const others = byKey.get(key);
    if (others === undefined) byKey.set(key, [one]);
    else others.push(one);
  }
  const byLine = new Map<ExternalLine, Expectation[]>();
  const byExpectation = new Map<Expectation, ExternalLine[]>();
  for (const line of board.lines) {
    if (board.isAgreed(line) || !board.isFree(line)) continue;
    const key = weakKeyOfLine(line);
    if (key === undefined) continue;
    const found = (byKey.get(key) ?? []).filter((one) => inWindow(board, line, one) && !board.isForbidden(line, one));
    if (found.length === 0) continue;
    byLine.set(line, found);
    for (const one of found) byExpectation.set(one, [...(byExpectation.get(one) ?? []), line]);
  }
  return { byLine, byExpectation };
}

function inWindow(board: Board, line: ExternalLine, expectation: Expectation): boolean {
  const { daysBefore, daysAfter } = board.rules.termsOf(line.profile);
  const days = dayOf(line.valueDate) - dayOf(expectation.date);
  return days >= -daysBefore && days <= daysAfter;
}
