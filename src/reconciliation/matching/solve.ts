import { invariant } from '../../kernel/invariant.ts';
import { abs, feeWithin, sum } from './amounts.ts';
import { Board, type Match } from './board.ts';
import { type Day, dayOf } from './days.ts';
import { pairMismatches } from './mismatch.ts';
import type { MatchingRules } from './rules.ts';
import { matchGroups, matchParts, matchSplits } from './several.ts';
import type { Decision, Expectation, ExpectationState, ExternalLine, LineState, Reason } from './sides.ts';
import { matchByReference, matchByText, matchReversals, matchWithFee, takeKnown } from './single.ts';
import { matchByCounterparty, type WeakRest } from './weak.ts';

export interface Problem {
  readonly lines: readonly ExternalLine[];
  readonly expectations: readonly Expectation[];
  readonly decisions: readonly Decision[];
  readonly rules: MatchingRules;
  readonly today: Day;
}

interface Result<State> {
  readonly state: State;
  readonly reason?: Reason;
  /** The day on which it may be otherwise by time alone. */
  readonly due?: Day;
  /** Whether a reference ties it to the other side. */
  readonly agreed: boolean;
  readonly match?: Match;
}
export type ExpectationResult = Result<ExpectationState>;
export interface LineResult extends Result<LineState> {
  /** Whether it refers to single expectations, so that it is never looked at as a batch's. */
  readonly direct: boolean;
}

export interface Solution {
  readonly matches: readonly Match[];
  readonly lines: ReadonlyMap<string, LineResult>;
  readonly expectations: ReadonlyMap<string, ExpectationResult>;
}

/**
 * What belongs to what. It depends on what is there and on the day, and on nothing else: not on the order in which it came,
 * nor on what was matched before. Rules take in their order; within a rule there is an order of content and ids.
 */
export function solve(problem: Problem): Solution {
  const board = new Board(problem);
  linkByHand(board);
  let weak: WeakRest = { waiting: new Map(), ambiguous: new Set() };
  for (const rule of board.rules.rules) {
    switch (rule.kind) {
      case 'reversal':
        matchReversals(board, rule.id);
        break;
      case 'reference':
        matchByReference(board, rule.id);
        break;
      case 'text':
        matchByText(board, rule.id);
        break;
      case 'known':
        takeKnown(board, rule);
        break;
      case 'counterparty':
        weak = matchByCounterparty(board, rule.id);
        break;
      case 'fee':
        matchWithFee(board, rule.id);
        break;
      case 'parts':
        matchParts(board, rule.id);
        break;
      case 'group':
        matchGroups(board, rule.id);
        break;
      case 'split':
        matchSplits(board, rule.id);
        break;
    }
  }
  pairMismatches(board);
  return {
    matches: board.matches,
    lines: new Map(problem.lines.map((line) => [line.id, lineResult(board, line, weak)])),
    expectations: new Map(board.expectations.map((one) => [one.id, expectationResult(board, one, weak)])),
  };
}

/** What people linked, as far as all of it is there and not held. */
function linkByHand(board: Board): void {
  const lineOf = new Map(board.lines.map((line) => [line.id, line]));
  const expectationOf = new Map(board.expectations.map((one) => [one.id, one]));
  for (const { id, lineIds, expectationIds } of board.links) {
    const lines = lineIds.map((one) => lineOf.get(one)).filter((one) => one !== undefined && board.isFree(one));
    const expectations = expectationIds
      .map((one) => expectationOf.get(one))
      .filter((one) => one !== undefined && board.isFree(one));
    if (lines.length < lineIds.length || expectations.length < expectationIds.length) continue;
    board.take(linked(id, lines as ExternalLine[], expectations as Expectation[]));
  }
}

function linked(decision: string, lines: readonly ExternalLine[], expectations: readonly Expectation[]): Match {
  const moved = abs(sum(lines.map(({ amount }) => amount)));
  const difference = moved - sum(expectations.map(({ amount }) => amount));
  // What a person linked at another amount is a fee only where it can be one: of one payment, and not less than nothing.
  const shares = expectations.map((expectation) => {
    const fee = expectations.length === 1 ? feeWithin(moved, expectation) : 0n;
    return { expectation, fee: fee > 0n ? fee : 0n };
  });
  return { rule: 'manual', kind: 'match', lines, shares, because: { fields: [], decision, difference } };
}

function lineResult(board: Board, line: ExternalLine, weak: WeakRest): LineResult {
  const base = { agreed: board.isAgreed(line), direct: board.edgesOf(line).length > 0 };
  if (line.held) return { ...base, state: 'OPEN' };
  const match = board.matchOf(line);
  if (match !== undefined) return { ...base, state: stateOf(match), match };
  const waits = weak.waiting.get(`line ${line.id}`);
  if (waits !== undefined) return { ...base, state: 'OPEN', due: waits };
  const { graceDays, daysBefore } = board.rules.termsOf(line.profile);
  const ambiguous = weak.ambiguous.has(`line ${line.id}`);
  const due = dayOf(line.valueDate) + (ambiguous ? Math.max(graceDays, daysBefore + 1) : graceDays);
  if (due > board.today) return { ...base, state: 'OPEN', due };
  const reason: Reason = line.reversal
    ? 'reversal_alone'
    : base.agreed
      ? 'reference_taken'
      : ambiguous
        ? 'ambiguous'
        : 'unknown';
  return { ...base, state: 'MISSING_INTERNAL', reason };
}

function stateOf({ kind }: Match): 'MATCHED' | 'MISMATCH' | 'KNOWN' {
  return kind === 'known' ? 'KNOWN' : kind === 'mismatch' ? 'MISMATCH' : 'MATCHED';
}

function expectationResult(board: Board, one: Expectation, weak: WeakRest): ExpectationResult {
  const base = { agreed: board.isAgreed(one) };
  const match = board.matchOf(one);
  if (match !== undefined) {
    const state = stateOf(match);
    invariant(state !== 'KNOWN', `a known line has taken expectation ${one.id}`);
    return { ...base, state, match };
  }
  if (one.withdrawn === true) return { ...base, state: 'OPEN' };
  const due =
    weak.waiting.get(`expectation ${one.id}`) ?? dayOf(one.date) + board.rules.termsOf(one.profile).daysAfter + 1;
  if (due > board.today) return { ...base, state: 'OPEN', due };
  return {
    ...base,
    state: 'MISSING_PROVIDER',
    reason: weak.ambiguous.has(`expectation ${one.id}`) ? 'ambiguous' : 'unknown',
  };
}
