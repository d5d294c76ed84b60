import { dayOf } from '../../../../src/reconciliation/matching/days.ts';
import { feedExpectation, feedLine, weakKeyLeft } from '../../../../src/reconciliation/matching/feeding.ts';
import {
  type Key,
  keysOfExpectation,
  keysOfLine,
  weakNumberOf,
  weakNumberOfLine,
} from '../../../../src/reconciliation/matching/keys.ts';
import { type MatchingRules, sameRules } from '../../../../src/reconciliation/matching/rules.ts';
import type { Decision } from '../../../../src/reconciliation/matching/sides.ts';
import type {
  Changes,
  Counts,
  Effect,
  Examined,
  Fed,
  MatchingReader,
  MatchingStore,
  MatchingTransaction,
  StoredExpectation,
  StoredLine,
  StoredMatch,
  WeakRange,
} from '../../../../src/reconciliation/matching/store.ts';

type WithDue<Node> = Node & { readonly due?: number };

/** A store that forgets nothing and crashes when it is told to: as simple as can be, to hold the other one against. */
export class MemoryMatchingStore implements MatchingStore {
  lines = new Map<string, WithDue<StoredLine>>();
  expectations = new Map<string, WithDue<StoredExpectation>>();
  decisions = new Map<string, Decision>();
  matches = new Map<number, StoredMatch & { ended: boolean }>();
  effects: Effect[] = [];
  cursors = new Map<string, number>();
  batches: { readonly runId: string; readonly number: number; readonly counts: Counts }[] = [];
  /** Throws in the middle of the next write. */
  crashNext = false;
  /** Is called when somebody looks: what happens between a read and a write. */
  whenLooked: (() => Promise<unknown>) | undefined;
  #amendments = 0;
  readonly #rules = new Map<string, string>();
  readonly #lookedAt = { line: 0, expectation: 0 };
  #looking: Promise<unknown> = Promise.resolve();

  put({ lines = [], expectations = [], decisions = [], cursor }: Fed): Promise<'written' | 'elsewhere'> {
    if (cursor !== undefined) {
      if ((this.cursors.get(cursor.feed) ?? 0) !== cursor.from) return Promise.resolve('elsewhere');
      this.cursors.set(cursor.feed, cursor.to);
    }
    for (const line of lines) {
      const fed = feedLine(this.lines.get(line.id), line, () => this.lines.size + 1);
      if (fed === undefined) continue;
      if (this.lines.has(line.id)) this.#amendments += 1;
      this.lines.set(line.id, fed);
    }
    for (const incoming of expectations) {
      const stored = this.expectations.get(incoming.id);
      const fed = feedExpectation(stored, incoming, () => this.expectations.size + 1);
      if (fed === undefined) continue;
      if (stored !== undefined) this.#amendments += 1;
      this.expectations.set(incoming.id, fed);
      const left = weakKeyLeft(stored, fed.expectation);
      if (left === undefined) continue;
      for (const [id, one] of this.lines)
        if (!one.agreed && weakNumberOfLine(one.line) === left) this.lines.set(id, { ...one, waiting: true });
    }
    for (const decision of decisions) {
      const known = this.decisions.get(decision.id);
      const held = known === undefined ? decision : { ...known, revoked: known.revoked || decision.revoked };
      this.decisions.set(decision.id, held);
      this.#amendments += 1;
      for (const id of held.lineIds) touch(this.lines, id);
      for (const id of held.expectationIds) touch(this.expectations, id);
    }
    return Promise.resolve('written');
  }

  /** Whether it changes nothing of what is there. */
  isNew({ lines = [], expectations = [], decisions = [] }: Fed): boolean {
    return (
      decisions.length === 0 &&
      !lines.some(({ id }) => this.lines.has(id)) &&
      !expectations.some(({ id }) => this.expectations.has(id))
    );
  }

  cursorOf(feed: string): Promise<number> {
    return Promise.resolve(this.cursors.get(feed) ?? 0);
  }

  look<Result>(work: (reader: MatchingReader) => Promise<Result>): Promise<Result> {
    const looking = (this.whenLooked?.() ?? Promise.resolve()).then(() => work(this.#transaction()));
    this.#looking = looking.catch(() => undefined);
    return looking;
  }

  async transact<Result>(work: (tx: MatchingTransaction) => Promise<Result>): Promise<Result> {
    const saved = [new Map(this.lines), new Map(this.expectations), new Map(this.matches)] as const;
    const [effects, batches] = [[...this.effects], [...this.batches]];
    try {
      return await work(this.#transaction());
    } catch (error) {
      [this.lines, this.expectations, this.matches] = saved;
      [this.effects, this.batches] = [effects, batches];
      throw error;
    }
  }

  useRules({ version, fingerprint }: Pick<MatchingRules, 'version' | 'fingerprint'>): Promise<boolean> {
    sameRules(version, this.#rules.get(version), fingerprint);
    const last = [...this.#rules.keys()].at(-1);
    if (last === version) return Promise.resolve(false);
    this.#rules.delete(version);
    this.#rules.set(version, fingerprint);
    this.#amendments += 1;
    for (const [id, { state }] of this.lines) if (state !== 'MATCHED' && state !== 'KNOWN') touch(this.lines, id);
    for (const [id, { state }] of this.expectations) if (state !== 'MATCHED') touch(this.expectations, id);
    return Promise.resolve(last !== undefined);
  }

  batchesOf(runId: string, after: number) {
    return Promise.resolve(this.batches.filter((one) => one.runId === runId && one.number > after));
  }

  #transaction(): MatchingTransaction {
    const numbers = <Node extends { readonly number: number }>(
      nodes: Map<string, Node>,
      wanted: (one: Node) => boolean,
    ): Promise<number[]> => Promise.resolve([...nodes.values()].filter(wanted).map(({ number }) => number));
    return {
      amendments: () => Promise.resolve(this.#amendments),
      fresh: (limit, after) =>
        Promise.resolve({
          lines: [...this.lines.values()]
            .filter(({ examined, number }) => !examined && number > (after.line ?? 0))
            .slice(0, limit),
          expectations: [...this.expectations.values()]
            .filter(({ examined, number }) => !examined && number > (after.expectation ?? 0))
            .slice(0, limit),
        }),
      due: (today, limit) => {
        const isDue =
          (side: 'line' | 'expectation') =>
          ({ examined, number, waiting, due }: WithDue<StoredLine | StoredExpectation>): boolean =>
            examined ? waiting || (due !== undefined && due <= today) : number > this.#lookedAt[side];
        return Promise.resolve({
          lines: [...this.lines.values()].filter(isDue('line')).slice(0, limit),
          expectations: [...this.expectations.values()].filter(isDue('expectation')).slice(0, limit),
        });
      },
      linesById: (wanted) => Promise.resolve(wanted.map((id) => this.lines.get(id)).filter((one) => one !== undefined)),
      expectationsById: (wanted) =>
        Promise.resolve(wanted.map((id) => this.expectations.get(id)).filter((one) => one !== undefined)),
      linesByNumber: (wanted) =>
        Promise.resolve([...this.lines.values()].filter(({ number }) => wanted.includes(number))),
      expectationsByNumber: (wanted) =>
        Promise.resolve([...this.expectations.values()].filter(({ number }) => wanted.includes(number))),
      linesByKey: (keys) => numbers(this.lines, ({ line }) => shares(keys, keysOfLine(line))),
      groupLinesByKey: (keys) =>
        numbers(this.lines, (one) => one.examined && !one.waiting && !one.direct && shares(keys, keysOfLine(one.line))),
      expectationsByKey: (keys) =>
        numbers(this.expectations, ({ expectation }) => shares(keys, keysOfExpectation(expectation))),
      weakLines: (ranges) => Promise.resolve(this.#weakOnes(ranges).lines.map(({ number }) => number)),
      weakExpectations: (ranges) => Promise.resolve(this.#weakOnes(ranges).expectations.map(({ number }) => number)),
      decisionsOn: (lineIds, expectationIds) =>
        Promise.resolve(
          [...this.decisions.values()].filter(
            (one) =>
              !one.revoked &&
              (one.lineIds.some((id) => lineIds.includes(id)) ||
                one.expectationIds.some((id) => expectationIds.includes(id))),
          ),
        ),
      matchesById: (wanted) =>
        Promise.resolve(wanted.map((id) => this.matches.get(id)).filter((one) => one !== undefined)),
      lastMatchId: () => Promise.resolve(this.matches.size),
      // Who looks meanwhile sees nothing of what is written: that is the harder case.
      write: (changes) => this.#looking.then(() => this.#write(changes)),
      recordBatch: (runId, number, counts) => {
        this.batches.push({ runId, number, counts });
        return Promise.resolve();
      },
    };
  }

  #weakOnes(ranges: readonly WeakRange[]): Examined {
    const within = (key: Key | undefined, date: string): boolean =>
      ranges.some((range) => range.key === key && dayOf(date) >= range.from && dayOf(date) <= range.to);
    return {
      lines: [...this.lines.values()].filter(
        ({ line, agreed }) => !agreed && !line.held && within(weakNumberOfLine(line), line.valueDate),
      ),
      expectations: [...this.expectations.values()].filter(
        ({ expectation, agreed }) => !agreed && within(weakNumberOf(expectation), expectation.date),
      ),
    };
  }

  #write({ lines, expectations, ended, made, effects, lookedAt }: Changes): void {
    for (const id of ended) {
      const match = this.matches.get(id);
      if (match === undefined || match.ended) throw new Error(`match ${id} is not there to be ended`);
      this.matches.set(id, { ...match, ended: true });
    }
    for (const match of made) this.matches.set(match.id, { ...match, ended: false });
    for (const outcome of lines) {
      const stored = this.lines.get(outcome.id);
      if (stored === undefined) throw new Error(`no line ${outcome.id}`);
      const { line, changes } = stored;
      const { changed, direct = false, ...rest } = outcome;
      this.lines.set(outcome.id, {
        ...(rest as object as StoredLine),
        line,
        direct,
        waiting: false,
        examined: true,
        changes: changes + Number(changed),
      });
    }
    if (this.crashNext) {
      this.crashNext = false;
      throw new CrashError('in the middle of a write');
    }
    for (const outcome of expectations) {
      const stored = this.expectations.get(outcome.id);
      if (stored === undefined) throw new Error(`no expectation ${outcome.id}`);
      const { expectation, changes } = stored;
      const { changed, ...rest } = outcome;
      this.expectations.set(outcome.id, {
        ...(rest as object as StoredExpectation),
        expectation,
        waiting: false,
        examined: true,
        changes: changes + Number(changed),
      });
    }
    this.effects.push(...effects);
    Object.assign(this.#lookedAt, lookedAt);
  }
}

export class CrashError extends Error {}

function touch<Node extends { readonly waiting: boolean }>(nodes: Map<string, Node>, id: string): void {
  const one = nodes.get(id);
  if (one !== undefined) nodes.set(id, { ...one, waiting: true });
}

function shares(wanted: readonly Key[], keys: readonly Key[]): boolean {
  return keys.some((key) => wanted.includes(key));
}
