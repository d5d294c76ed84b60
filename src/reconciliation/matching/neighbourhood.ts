import type { Day } from './days.ts';
import { dayOf } from './days.ts';
import * as keys from './keys.ts';
import type { Key } from './keys.ts';
import type { Decision } from './sides.ts';
import type {
  Changes,
  Examined,
  MatchingReader,
  StoredExpectation,
  StoredLine,
  StoredMatch,
  WeakRange,
} from './store.ts';

/**
 * Everything that what is new can change, and what is needed to see how.
 *
 * References are followed to their end: `lines` and `expectations` are whole components. The weak rule looks no further
 * than to the neighbours of neighbours, so of those that no reference ties to anything, all with the same amount and
 * counterparty within twice the window may change, and those within four times the window are looked at.
 */
export class Neighbourhood {
  readonly lines = new Map<string, StoredLine>();
  readonly expectations = new Map<string, StoredExpectation>();
  /** Looked at beside them. */
  readonly weakLines = new Map<string, StoredLine>();
  readonly weakExpectations = new Map<string, StoredExpectation>();
  readonly decisions = new Map<string, Decision>();
  readonly matches = new Map<number, StoredMatch>();
  readonly #reader: MatchingReader;
  readonly #windowDays: number;
  readonly #lineNumbers = new Set<number>();
  readonly #expectationNumbers = new Set<number>();
  readonly #tokens = new Set<string>();
  readonly #agreedTokens = new Set<string>();
  #near: WeakRange[] = [];

  private constructor(reader: MatchingReader, windowDays: number) {
    this.#reader = reader;
    this.#windowDays = windowDays;
  }

  static async around(reader: MatchingReader, seeds: Examined, windowDays: number): Promise<Neighbourhood> {
    const found = new Neighbourhood(reader, windowDays);
    let next: Examined | undefined = seeds;
    while (next !== undefined) {
      await found.#close(next);
      next = await found.#lookAround();
    }
    return found;
  }

  /**
   * Whether anything in it could be otherwise once these changes, of that other neighbourhood, are written, or whether more
   * would be in it.
   */
  mayBeTouchedBy(changes: Changes, other: Neighbourhood): boolean {
    const changedLines = new Set(changes.lines.map(({ number }) => number));
    const changedExpectations = new Set(changes.expectations.map(({ number }) => number));
    const touches = (changed: ReadonlySet<number>, stored: Iterable<{ readonly number: number }>): boolean => {
      for (const { number } of stored) if (changed.has(number)) return true;
      return false;
    };
    if (touches(changedLines, this.lines.values()) || touches(changedLines, this.weakLines.values())) return true;
    if (touches(changedExpectations, this.expectations.values())) return true;
    if (touches(changedExpectations, this.weakExpectations.values())) return true;
    // What nothing refers to any more is a neighbour again by amount and counterparty, of whom, cannot be told cheaply.
    if (other.#losesAgreement(changes)) return true;
    // A line that refers to several is found by what is booked together only when it has been looked at.
    for (const { expectation } of this.expectations.values())
      for (const token of expectation.groupTokens)
        if (other.#agreedTokens.has(`${expectation.profile}\0${token}`)) return true;
    return false;
  }

  #losesAgreement({ lines, expectations }: Changes): boolean {
    const line = (id: string): StoredLine | undefined => this.lines.get(id) ?? this.weakLines.get(id);
    const expectation = (id: string): StoredExpectation | undefined =>
      this.expectations.get(id) ?? this.weakExpectations.get(id);
    return (
      lines.some(({ id, agreed }) => !agreed && line(id)?.agreed === true) ||
      expectations.some(({ id, agreed }) => !agreed && expectation(id)?.agreed === true)
    );
  }

  /** What may be otherwise than it was. */
  mayChange(): Examined {
    const near = new Map(this.#near.map((range) => [range.key, range]));
    const isNear = (key: Key | undefined, date: string): boolean => {
      const range = key === undefined ? undefined : near.get(key);
      const day = dayOf(date);
      return range !== undefined && day >= range.from && day <= range.to;
    };
    const lines = [...this.weakLines.values()].filter(({ line }) =>
      isNear(keys.weakNumberOfLine(line), line.valueDate),
    );
    const expectations = [...this.weakExpectations.values()].filter(({ expectation }) =>
      isNear(keys.weakNumberOf(expectation), expectation.date),
    );
    return {
      lines: [...this.lines.values(), ...lines],
      expectations: [...this.expectations.values(), ...expectations],
    };
  }

  async #close(seeds: Examined): Promise<void> {
    let lines = this.#addLines(seeds.lines);
    let expectations = this.#addExpectations(seeds.expectations);
    while (lines.length + expectations.length > 0) {
      const active = lines.map(({ line }) => line).filter(({ held }) => !held);
      const plain = active.filter(({ reversal }) => !reversal);
      // First of all what lines refer to: only those that refer to nothing are looked at as a batch's.
      const referred = await this.#expectationsByKey(plain.flatMap(keys.referencesOfLine));
      const grouping = lines.filter((stored) => this.#looksAtGroups(stored)).map(({ line }) => line);
      const grouped = await this.#expectationsByKey(grouping.flatMap(keys.groupsOfLine));
      const told = expectations.map(({ expectation }) => expectation);
      const numbers = [
        ...(await this.#reader.linesByKey([
          ...told.flatMap(keys.referencesOf),
          ...active.flatMap(keys.reversalsOfLine),
        ])),
        ...(await this.#reader.groupLinesByKey([...new Set(told.flatMap(keys.groupReferencesOf))])),
      ];
      const tied = await this.#tied(lines, expectations);
      lines = [
        ...this.#addLines(await this.#reader.linesByNumber(unknown(numbers, this.#lineNumbers))),
        ...this.#addLines(await this.#reader.linesById(unknown(tied.lineIds, this.lines))),
      ];
      const more = await this.#reader.expectationsById(unknown(tied.expectationIds, this.expectations));
      expectations = [...referred, ...grouped, ...this.#addExpectations(more)];
    }
  }

  #addLines(found: readonly StoredLine[]): StoredLine[] {
    return found.filter((stored) => {
      const { line } = stored;
      if (this.lines.has(line.id)) return false;
      this.lines.set(line.id, stored);
      this.#lineNumbers.add(stored.number);
      this.weakLines.delete(line.id);
      if (!line.held && !line.reversal) for (const token of allTokens(line)) this.#agreedTokens.add(token);
      return true;
    });
  }

  #addExpectations(found: readonly StoredExpectation[]): StoredExpectation[] {
    return found.filter((stored) => {
      const { id, profile, tokens } = stored.expectation;
      if (this.expectations.has(id)) return false;
      this.expectations.set(id, stored);
      this.#expectationNumbers.add(stored.number);
      this.weakExpectations.delete(id);
      for (const token of tokens) this.#tokens.add(`${profile}\0${token}`);
      return true;
    });
  }

  async #expectationsByKey(wanted: readonly Key[]): Promise<StoredExpectation[]> {
    if (wanted.length === 0) return [];
    const numbers = unknown(await this.#reader.expectationsByKey(wanted), this.#expectationNumbers);
    return this.#addExpectations(await this.#reader.expectationsByNumber(numbers));
  }

  /** What people decided on them, and what they were matched with. */
  async #tied(lines: readonly StoredLine[], expectations: readonly StoredExpectation[]) {
    const decisions = await this.#reader.decisionsOn(
      lines.map(({ line }) => line.id),
      expectations.map(({ expectation }) => expectation.id),
    );
    for (const decision of decisions) this.decisions.set(decision.id, decision);
    const matches = await this.#loadMatches([...lines, ...expectations]);
    const tied = [...decisions, ...matches];
    return {
      lineIds: tied.flatMap(({ lineIds }) => lineIds),
      expectationIds: tied.flatMap(({ expectationIds }) => expectationIds),
    };
  }

  async #loadMatches(stored: readonly { readonly matchId?: number }[]): Promise<readonly StoredMatch[]> {
    const ids = new Set(stored.flatMap(({ matchId }) => (matchId === undefined ? [] : [matchId])));
    const unknown = [...ids].filter((id) => !this.matches.has(id));
    const matches = unknown.length === 0 ? [] : await this.#reader.matchesById(unknown);
    for (const match of matches) this.matches.set(match.id, match);
    return matches;
  }

  #isDirect({ line }: StoredLine): boolean {
    return !line.held && !line.reversal && allTokens(line).some((token) => this.#tokens.has(token));
  }

  /** Also a line that was a batch's, and has only now come to refer to a single one. */
  #looksAtGroups(stored: StoredLine): boolean {
    if (stored.line.held || stored.line.reversal) return false;
    return !this.#isDirect(stored) || (stored.examined && !stored.direct && stored.agreed);
  }

  /** Loads the neighbours by amount and counterparty. Those that were never looked at are to be closed over themselves. */
  async #lookAround(): Promise<Examined | undefined> {
    const days = new Map<Key, { min: Day; max: Day }>();
    const add = (key: Key | undefined, date: string): void => {
      if (key === undefined) return;
      const day = dayOf(date);
      const known = days.get(key);
      if (known === undefined) days.set(key, { min: day, max: day });
      else [known.min, known.max] = [Math.min(known.min, day), Math.max(known.max, day)];
    };
    for (const stored of this.lines.values()) {
      const { line, examined, agreed } = stored;
      if (line.held || (this.#isDirect(stored) && (agreed || !examined))) continue;
      add(keys.weakNumberOfLine(line), line.valueDate);
    }
    for (const { expectation, examined, agreed } of this.expectations.values()) {
      const { profile, tokens } = expectation;
      const isReferredTo = tokens.some((token) => this.#agreedTokens.has(`${profile}\0${token}`));
      if (isReferredTo && (agreed || !examined)) continue;
      add(keys.weakNumberOf(expectation), expectation.date);
    }
    const reach = (windows: number): WeakRange[] =>
      [...days].map(([key, { min, max }]) => ({
        key,
        from: min - windows * this.#windowDays,
        to: max + windows * this.#windowDays,
      }));
    this.#near = reach(2);
    if (days.size === 0) return undefined;
    const ranges = reach(4);
    const numbers = await this.#reader.weakLines(ranges);
    const others = await this.#reader.linesByNumber(unknown(numbers, this.#lineNumbers));
    const found = new Set(numbers);
    // Without a line there is nothing to be matched, and nothing that could have been.
    const own = [...this.lines.values()].filter(
      (stored) => found.has(stored.number) && (stored.examined || !this.#isDirect(stored)),
    );
    const free = [...own, ...others];
    const withLines = new Set(free.map(({ line }) => keys.weakNumberOfLine(line)));
    const around = ranges.filter(({ key }) => withLines.has(key));
    const more = around.length === 0 ? [] : await this.#reader.weakExpectations(around);
    const expectations = await this.#reader.expectationsByNumber(unknown(more, this.#expectationNumbers));
    return this.#addWeak({ lines: others, expectations });
  }

  async #addWeak(others: Examined): Promise<Examined | undefined> {
    const fresh = {
      lines: others.lines.filter(({ waiting }) => waiting),
      expectations: others.expectations.filter(({ waiting }) => waiting),
    };
    if (fresh.lines.length + fresh.expectations.length > 0) return fresh;
    const matches = await this.#loadMatches([...others.lines, ...others.expectations]);
    for (const one of others.lines) this.weakLines.set(one.line.id, one);
    for (const one of others.expectations) this.weakExpectations.set(one.expectation.id, one);
    const far = await this.#partnersElsewhere(matches);
    if (far.lines.length + far.expectations.length > 0) return far;
    // What a reversal or a person has taken is not there for the weak rule.
    const isTaken = ({ matchId }: { readonly matchId?: number }): boolean => {
      const match = matchId === undefined ? undefined : this.matches.get(matchId);
      return match !== undefined && (match.kind === 'reversal' || match.rule === 'manual');
    };
    for (const one of others.lines) if (isTaken(one)) this.weakLines.delete(one.line.id);
    for (const one of others.expectations) if (isTaken(one)) this.weakExpectations.delete(one.expectation.id);
    const decisions = await this.#reader.decisionsOn([...this.weakLines.keys()], [...this.weakExpectations.keys()]);
    for (const decision of decisions) this.decisions.set(decision.id, decision);
    return undefined;
  }

  /** Under other rules they may have been matched over more days than are looked at now. */
  async #partnersElsewhere(matches: readonly StoredMatch[]): Promise<Examined> {
    const paired = matches.filter(({ kind, rule }) => kind === 'match' && rule !== 'manual');
    const lineIds = unknown(
      paired.flatMap((match) => match.lineIds),
      this.lines,
    );
    const expectationIds = unknown(
      paired.flatMap((match) => match.expectationIds),
      this.expectations,
    );
    return {
      lines: await this.#reader.linesById(lineIds.filter((id) => !this.weakLines.has(id))),
      expectations: await this.#reader.expectationsById(expectationIds.filter((id) => !this.weakExpectations.has(id))),
    };
  }
}

function allTokens({ profile, tokens, textTokens, parts }: StoredLine['line']): string[] {
  return [...tokens, ...textTokens, ...(parts?.flatMap((part) => part.tokens) ?? [])].map(
    (token) => `${profile}\0${token}`,
  );
}

function unknown<Name>(names: readonly Name[], known: { has(name: Name): boolean }): Name[] {
  return [...new Set(names)].filter((name) => !known.has(name));
}
