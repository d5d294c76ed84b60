import { hash } from 'node:crypto';
import { abs, sum } from './amounts.ts';
import type { Match } from './board.ts';
import type { Solution } from './solve.ts';
import type {
  Changes,
  Effect,
  EffectDetail,
  EffectKind,
  Examined,
  Outcome,
  StoredExpectation,
  StoredLine,
  StoredMatch,
} from './store.ts';

interface Before {
  /** What may be otherwise than it was; of everything else the solution is not heeded. */
  readonly mayChange: Examined;
  readonly matches: ReadonlyMap<number, StoredMatch>;
  readonly lastMatchId: number;
  readonly rulesVersion: string;
}

/** What has to be written so that what is stored is the solution, and what that means for the core, in the order to be told. */
export function differenceOf(before: Before, solution: Solution): Omit<Changes, 'lookedAt'> {
  const { lines, expectations } = before.mayChange;
  const kept = new Map<string, StoredMatch>();
  for (const { matchId } of [...lines, ...expectations]) {
    const match = matchId === undefined ? undefined : before.matches.get(matchId);
    if (match !== undefined) kept.set(signatureOfStored(match), match);
  }
  const made: StoredMatch[] = [];
  const idOf = new Map<Match, number>();
  const own = {
    lines: new Set(lines.map(({ line }) => line.id)),
    expectations: new Set(expectations.map(({ expectation }) => expectation.id)),
  };
  const stays = new Set<number>();
  for (const match of solution.matches) {
    const concerns =
      match.lines.some(({ id }) => own.lines.has(id)) ||
      match.shares.some(({ expectation }) => own.expectations.has(expectation.id));
    if (!concerns) continue;
    const known = kept.size === 0 ? undefined : kept.get(signatureOf(match));
    if (known === undefined) made.push(storedOf(match, before.lastMatchId + made.length + 1, before.rulesVersion));
    else stays.add(known.id);
    idOf.set(match, known?.id ?? before.lastMatchId + made.length);
  }
  const ended = [...kept.values()].filter(({ id }) => !stays.has(id));
  const changes = {
    lines: lines.map((stored) => lineOutcome(stored, solution, idOf)),
    expectations: expectations.map((stored) => expectationOutcome(stored, solution, idOf)),
    ended: ended.map(({ id }) => id),
    made,
  };
  return { ...changes, effects: new Telling(before.mayChange).effectsOf(ended, changes) };
}

function signatureOf({ rule, kind, lines, shares }: Match): string {
  const names = shares.map(({ expectation, fee }) => `${expectation.id} ${fee}`).sort();
  return JSON.stringify([rule, kind, lines.map(({ id }) => id).sort(), names]);
}

function signatureOfStored({ rule, kind, lineIds, expectationIds, fees }: StoredMatch): string {
  const names = expectationIds.map((id, at) => `${id} ${fees[at] ?? 0n}`).sort();
  return JSON.stringify([rule, kind, [...lineIds].sort(), names]);
}

function storedOf({ rule, kind, lines, shares, because }: Match, id: number, rulesVersion: string): StoredMatch {
  return {
    id,
    rule,
    kind,
    rulesVersion,
    lineIds: lines.map((line) => line.id),
    expectationIds: shares.map(({ expectation }) => expectation.id),
    fees: shares.map(({ fee }) => fee),
    because,
  };
}

function lineOutcome(stored: StoredLine, solution: Solution, idOf: ReadonlyMap<Match, number>): Outcome {
  const result = solution.lines.get(stored.line.id);
  if (result === undefined) throw new Error(`line ${stored.line.id} was not solved`);
  return { ...outcome(stored.line.id, stored, result, idOf), direct: result.direct };
}

function expectationOutcome(
  { expectation: { id }, ...stored }: StoredExpectation,
  solution: Solution,
  idOf: ReadonlyMap<Match, number>,
): Outcome {
  const result = solution.expectations.get(id);
  if (result === undefined) throw new Error(`expectation ${id} was not solved`);
  return outcome(id, stored, result, idOf);
}

function outcome(
  id: string,
  stored: Pick<StoredLine | StoredExpectation, 'number' | 'state' | 'reason' | 'matchId' | 'examined'>,
  {
    match,
    ...result
  }: Omit<Outcome, 'id' | 'number' | 'matchId' | 'changed' | 'examined'> & { readonly match?: Match },
  idOf: ReadonlyMap<Match, number>,
): Outcome {
  const matchId = match && idOf.get(match);
  const { state, reason, due, agreed } = result;
  const changed = state !== stored.state || reason !== stored.reason || matchId !== stored.matchId;
  return {
    id,
    number: stored.number,
    state,
    agreed,
    changed,
    examined: stored.examined,
    ...(reason !== undefined && { reason }),
    ...(matchId !== undefined && { matchId }),
    ...(due !== undefined && { due }),
  };
}

/** Makes effects: first what ends, then what holds instead. */
class Telling {
  readonly #lines: ReadonlyMap<string, StoredLine>;
  readonly #expectations: ReadonlyMap<string, StoredExpectation>;

  constructor({ lines, expectations }: Examined) {
    this.#lines = new Map(lines.map((one) => [one.line.id, one]));
    this.#expectations = new Map(expectations.map((one) => [one.expectation.id, one]));
  }

  effectsOf(ended: readonly StoredMatch[], changes: Omit<Changes, 'effects' | 'ended' | 'lookedAt'>): Effect[] {
    // The same sides by another rule are as they were: only the explanation is a better one.
    const sides = (match: StoredMatch): string => signatureOfStored({ ...match, rule: '' });
    const before = new Set(ended.map(sides));
    const after = new Set(ended.length === 0 ? [] : changes.made.map(sides));
    return [
      ...ended.filter((match) => !after.has(sides(match))).flatMap((match) => this.#ofEnded(match)),
      ...changes.made
        .filter((match) => before.size === 0 || !before.has(sides(match)))
        .flatMap((match) => this.#ofMade(match)),
      ...changes.lines.flatMap((one) => this.#alone(one, 'line')),
      ...changes.expectations.flatMap((one) => this.#alone(one, 'expectation')),
    ];
  }

  /** A mismatch never meant anything for money: what its sides are now says enough. */
  #ofEnded(match: StoredMatch): Effect[] {
    if (match.kind === 'mismatch') return [];
    const { lineIds, expectationIds } = match;
    return [this.#effect('displaced', lineIds, expectationIds, this.#explained(match))];
  }

  #ofMade(match: StoredMatch): Effect[] {
    const { kind, lineIds, expectationIds, fees } = match;
    const explained = this.#explained(match);
    switch (kind) {
      case 'match':
        return expectationIds.map((id, at) => {
          const amount = this.#expectations.get(id)?.expectation.amount ?? 0n;
          const detail = { ...explained, amount: amount.toString(), fee: (fees[at] ?? 0n).toString() };
          return this.#effect('settle', lineIds, [id], detail);
        });
      case 'known':
      case 'reversal':
      case 'mismatch': {
        const amount = abs(sum(lineIds.map((id) => this.#lines.get(id)?.line.amount ?? 0n)));
        const detail = kind === 'reversal' ? explained : { ...explained, amount: amount.toString() };
        return [this.#effect(kind === 'reversal' ? 'reversed' : kind, lineIds, expectationIds, detail)];
      }
    }
  }

  #alone({ id, state, reason, matchId, changed }: Outcome, side: 'line' | 'expectation'): Effect[] {
    if (!changed || matchId !== undefined) return [];
    const lineIds = side === 'line' ? [id] : [];
    const expectationIds = side === 'line' ? [] : [id];
    switch (state) {
      case 'MISSING_INTERNAL':
      case 'MISSING_PROVIDER': {
        const kind = state === 'MISSING_INTERNAL' ? 'missing_internal' : 'missing_provider';
        return [this.#effect(kind, lineIds, expectationIds, reason === undefined ? {} : { reason })];
      }
      case 'OPEN':
        return [this.#effect('reopened', lineIds, expectationIds, {})];
      case 'MATCHED':
      case 'MISMATCH':
      case 'KNOWN':
        return [];
    }
  }

  #explained({ id, rule, rulesVersion, because }: StoredMatch): Omit<EffectDetail, 'was' | 'currency'> {
    const { fields, token, posting, decision, difference } = because;
    return {
      rule,
      rulesVersion,
      matchId: id,
      fields,
      ...(token !== undefined && { token }),
      ...(posting !== undefined && { posting }),
      ...(decision !== undefined && { decision }),
      ...(difference !== undefined && { difference: difference.toString() }),
    };
  }

  #effect(
    kind: EffectKind,
    lineIds: readonly string[],
    expectationIds: readonly string[],
    detail: Omit<EffectDetail, 'was' | 'currency'>,
  ): Effect {
    const stored = [
      ...lineIds.map((id) => this.#lines.get(id)),
      ...expectationIds.map((id) => this.#expectations.get(id)),
    ].find((one) => one !== undefined);
    if (stored === undefined) throw new Error(`${kind} of what was not looked at`);
    const { profile, currency } = 'line' in stored ? stored.line : stored.expectation;
    const sides = [[...lineIds].sort(), [...expectationIds].sort()];
    const id = hash('sha256', JSON.stringify([kind, ...sides, stored.changes]), 'base64url');
    return { id, kind, profile, lineIds, expectationIds, detail: { ...detail, was: stored.state, currency } };
  }
}
