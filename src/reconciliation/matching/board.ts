import { type Day, dayOf } from './days.ts';
import type { MatchingRules } from './rules.ts';
import type { Decision, Expectation, ExternalLine } from './sides.ts';

/** How a line says which expectation it is: by its own reference, by a word of its text, by a part of a batch. */
export type Via = 'reference' | 'text' | 'part';

/** One expectation within a match, and how much of the line's amount above or below N is the provider's fee. */
export interface Share {
  readonly expectation: Expectation;
  readonly fee: bigint;
}

export interface Match {
  /** Id of its rule in the file; `manual` and `mismatch` are in none. */
  readonly rule: string;
  readonly kind: 'match' | 'mismatch' | 'known' | 'reversal';
  readonly lines: readonly ExternalLine[];
  readonly shares: readonly Share[];
  /** For people, and for whoever carries it out. */
  readonly because: Because;
}

export interface Because {
  /** Which fields agree. */
  readonly fields: readonly string[];
  /** The reference that agrees. */
  readonly token?: string;
  /** Lines' amount less what was expected, minor units, positive: more money moved than N. Zero where it is absent. */
  readonly difference?: bigint;
  /** What a KNOWN line wants. */
  readonly posting?: 'fee' | 'interest';
  readonly decision?: string;
}

export interface Edge {
  readonly line: ExternalLine;
  readonly expectation: Expectation;
  readonly via: Via;
  readonly token: string;
}

const vias: readonly Via[] = ['reference', 'text', 'part'];

/**
 * Lines and expectations while rules take from them, the strongest first. What refers to what is looked up once; it says
 * nothing of what is still free.
 */
export class Board {
  readonly rules: MatchingRules;
  readonly today: Day;
  /** In the order of their ids, so that nothing depends on the order in which they came. Held ones are not among them. */
  readonly lines: readonly ExternalLine[];
  readonly expectations: readonly Expectation[];
  readonly links: readonly Decision[];
  readonly matches: Match[] = [];
  readonly #edges = new Map<string, readonly Edge[]>();
  readonly #groups = new Map<string, ReadonlyMap<string, readonly Expectation[]>>();
  readonly #edgesTo = new Map<string, Edge[]>();
  readonly #agreed = new Set<ExternalLine | Expectation>();
  readonly #forbidden = new Set<string>();
  readonly #matchOf = new Map<ExternalLine | Expectation, Match>();

  constructor(given: {
    readonly lines: readonly ExternalLine[];
    readonly expectations: readonly Expectation[];
    readonly decisions: readonly Decision[];
    readonly rules: MatchingRules;
    readonly today: Day;
  }) {
    this.rules = given.rules;
    this.today = given.today;
    this.lines = given.lines.filter(({ held }) => !held).sort(byId);
    this.expectations = [...given.expectations].sort(byId);
    const decisions = given.decisions.filter(({ revoked }) => !revoked);
    this.links = decisions
      .filter(({ kind }) => kind === 'link')
      .sort((a, b) => compare(a.at, b.at) || compare(a.id, b.id));
    for (const { lineIds, expectationIds } of decisions.filter(({ kind }) => kind === 'forbid'))
      for (const line of lineIds) for (const one of expectationIds) this.#forbidden.add(pairKey(line, one));
    this.#refer();
  }

  /** Expectations that the line itself refers to, the strongest way for each, whether free or not. */
  edgesOf(line: ExternalLine): readonly Edge[] {
    return this.#edges.get(line.id) ?? [];
  }

  edgesTo(expectation: Expectation): readonly Edge[] {
    return this.#edgesTo.get(expectation.id) ?? [];
  }

  /** By token: what is booked together under it. Only of lines that refer to no single expectation. */
  groupsOf(line: ExternalLine): ReadonlyMap<string, readonly Expectation[]> {
    return this.#groups.get(line.id) ?? noGroups;
  }

  /** Whether a reference ties it to the other side: then nothing weaker than a reference may. */
  isAgreed(one: ExternalLine | Expectation): boolean {
    return this.#agreed.has(one);
  }

  isForbidden(line: ExternalLine, expectation: Expectation): boolean {
    return this.#forbidden.has(pairKey(line.id, expectation.id));
  }

  isFree(one: ExternalLine | Expectation): boolean {
    return !this.#matchOf.has(one);
  }

  matchOf(one: ExternalLine | Expectation): Match | undefined {
    return this.#matchOf.get(one);
  }

  take(match: Match): void {
    this.matches.push(match);
    for (const line of match.lines) this.#matchOf.set(line, match);
    for (const { expectation } of match.shares) this.#matchOf.set(expectation, match);
  }

  #refer(): void {
    const byToken = indexOf(this.expectations, ({ tokens }) => tokens);
    const byGroup = indexOf(this.expectations, ({ groupTokens }) => groupTokens);
    for (const line of this.lines) {
      if (line.reversal) continue;
      const found = new Map<string, Edge>();
      for (const via of vias)
        for (const token of tokensOf(line, via))
          for (const expectation of byToken.get(token) ?? [])
            if (expectation.profile === line.profile && !found.has(expectation.id))
              found.set(expectation.id, { line, expectation, via, token });
      if (found.size > 0) this.#agree(line, [...found.values()]);
      else this.#group(line, byGroup);
    }
  }

  #agree(line: ExternalLine, edges: readonly Edge[]): void {
    this.#edges.set(line.id, edges);
    this.#agreed.add(line);
    for (const edge of edges) {
      this.#agreed.add(edge.expectation);
      const others = this.#edgesTo.get(edge.expectation.id);
      if (others === undefined) this.#edgesTo.set(edge.expectation.id, [edge]);
      else others.push(edge);
    }
  }

  #group(line: ExternalLine, byGroup: ReadonlyMap<string, Expectation[]>): void {
    const groups = new Map<string, readonly Expectation[]>();
    for (const token of [...line.tokens, ...line.textTokens].sort(compare)) {
      const members = byGroup.get(token)?.filter(({ profile }) => profile === line.profile) ?? [];
      if (members.length === 0) continue;
      groups.set(token, members);
      this.#agreed.add(line);
      for (const one of members) this.#agreed.add(one);
    }
    if (groups.size > 0) this.#groups.set(line.id, groups);
  }
}

const noGroups: ReadonlyMap<string, readonly Expectation[]> = new Map();

export function tokensOf(line: ExternalLine, via: Via): readonly string[] {
  switch (via) {
    case 'reference':
      return line.tokens;
    case 'text':
      return line.textTokens;
    case 'part':
      return line.parts?.flatMap(({ tokens }) => tokens) ?? [];
  }
}

function indexOf(
  expectations: readonly Expectation[],
  tokens: (one: Expectation) => readonly string[],
): Map<string, Expectation[]> {
  const index = new Map<string, Expectation[]>();
  for (const one of expectations) {
    for (const token of new Set(tokens(one))) {
      const others = index.get(token);
      if (others === undefined) index.set(token, [one]);
      else others.push(one);
    }
  }
  return index;
}

const pairKey = (line: string, expectation: string): string => `${line}\0${expectation}`;

/** By code units: the same everywhere, whatever the locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return compare(a.id, b.id);
}

export function daysApart(line: ExternalLine, expectation: Expectation): number {
  return Math.abs(dayOf(line.valueDate) - dayOf(expectation.date));
}
