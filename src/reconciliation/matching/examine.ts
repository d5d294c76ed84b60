import type { Day } from './days.ts';
import { differenceOf } from './difference.ts';
import { Neighbourhood } from './neighbourhood.ts';
import type { MatchingRules } from './rules.ts';
import { solve } from './solve.ts';
import type {
  Changes,
  Counts,
  Examined,
  LookedAt,
  MatchingReader,
  MatchingStore,
  MatchingTransaction,
} from './store.ts';

export interface Examination {
  readonly store: MatchingStore;
  readonly runId: string;
  readonly today: Day;
  readonly rules: MatchingRules;
  /** Of both sides together, to begin with. */
  readonly batchSize: number;
}

/** Some of what waits, with everything around it. */
interface Portion {
  readonly seeds: Examined;
  readonly lookedAt: LookedAt;
  readonly around: Neighbourhood;
  /** As of when it was read. */
  readonly amendments: number;
}

/**
 * Looks at what is new, changed or due, a portion at a time, and writes what comes out.
 *
 * While a portion is written the next one is read, as it is before that. It is used if nothing in it can have been changed
 * meanwhile: neither by the portion that was written, nor by what was fed (what is fed anew waits for its own look, which
 * finds this). Else it is read again.
 */
export class Examiner {
  readonly #examination: Examination;
  #ahead: Promise<Portion | undefined> = Promise.resolve(undefined);

  constructor(examination: Examination) {
    this.#examination = examination;
  }

  /**
   * @param record what else is written with it, in the same transaction
   * @returns how many of what; undefined: nothing was left to be looked at
   */
  async next(record?: (tx: MatchingTransaction, counts: Counts) => Promise<void>): Promise<Counts | undefined> {
    const { store, runId, rules } = this.#examination;
    const ahead = await this.#takeAhead();
    const work = async (tx: MatchingTransaction): Promise<Counts | undefined> => {
      const isAsRead = ahead !== undefined && ahead.amendments === (await tx.amendments());
      const portion = isAsRead ? ahead : await this.#read(tx);
      if (portion === undefined) return undefined;
      const changes = await this.#decide(tx, portion);
      this.#ahead = store.look((reader) => this.#readAhead(reader, portion, changes)).catch(() => undefined);
      await tx.write(changes, { id: runId, rulesVersion: rules.version });
      const counts = countsOf(portion.seeds, changes);
      await record?.(tx, counts);
      return counts;
    };
    try {
      return await store.transact(work);
    } catch (error) {
      // What was to come after it is after nothing.
      await this.end();
      throw error;
    }
  }

  /** Nothing is read any more when it returns. */
  async end(): Promise<void> {
    await this.#takeAhead();
  }

  #takeAhead(): Promise<Portion | undefined> {
    const ahead = this.#ahead;
    this.#ahead = Promise.resolve(undefined);
    return ahead;
  }

  async #read(reader: MatchingReader): Promise<Portion | undefined> {
    const { today, rules, batchSize } = this.#examination;
    const amendments = await reader.amendments();
    const seeds = await reader.due(today, batchSize);
    if (seeds.lines.length + seeds.expectations.length === 0) return undefined;
    const around = await Neighbourhood.around(reader, seeds, rules.windowDays);
    return { seeds, lookedAt: lastFreshOf(seeds), around, amendments };
  }

  /** What comes after the portion, which may or may not have been written by now. */
  async #readAhead(reader: MatchingReader, before: Portion, changes: Changes): Promise<Portion | undefined> {
    const { rules, batchSize } = this.#examination;
    const amendments = await reader.amendments();
    const found = await reader.fresh(batchSize, before.lookedAt);
    const isOther = isNoneOf(changes);
    const seeds = {
      lines: found.lines.filter(isOther.line),
      expectations: found.expectations.filter(isOther.expectation),
    };
    if (seeds.lines.length + seeds.expectations.length === 0) return undefined;
    const around = await Neighbourhood.around(reader, seeds, rules.windowDays);
    if (around.mayBeTouchedBy(changes, before.around)) return undefined;
    return { seeds, lookedAt: lastFreshOf(found), around, amendments };
  }

  async #decide(tx: MatchingTransaction, { around, lookedAt }: Portion): Promise<Changes> {
    const { rules, today } = this.#examination;
    const solution = solve({
      lines: [...around.lines.values(), ...around.weakLines.values()].map(({ line }) => line),
      expectations: [...around.expectations.values(), ...around.weakExpectations.values()].map(
        (one) => one.expectation,
      ),
      decisions: [...around.decisions.values()],
      rules,
      today,
    });
    const lastMatchId = await tx.lastMatchId();
    const before = { mayChange: around.mayChange(), matches: around.matches, lastMatchId, rulesVersion: rules.version };
    return { ...differenceOf(before, solution), lookedAt };
  }
}

function lastFreshOf({ lines, expectations }: Examined): LookedAt {
  const line = lines.findLast(({ examined }) => !examined)?.number;
  const expectation = expectations.findLast(({ examined }) => !examined)?.number;
  return { ...(line !== undefined && { line }), ...(expectation !== undefined && { expectation }) };
}

function isNoneOf({ lines, expectations }: Changes) {
  const changed = {
    line: new Set(lines.map(({ number }) => number)),
    expectation: new Set(expectations.map(({ number }) => number)),
  };
  return {
    line: ({ number }: { readonly number: number }) => !changed.line.has(number),
    expectation: ({ number }: { readonly number: number }) => !changed.expectation.has(number),
  };
}

function countsOf(seeds: Examined, { made, effects }: Changes): Counts {
  const counts: Record<string, number> = { lines: seeds.lines.length, expectations: seeds.expectations.length };
  const count = (name: string): void => void (counts[name] = (counts[name] ?? 0) + 1);
  for (const { rule, kind } of made) if (kind === 'match') count(`matched.${rule}`);
  for (const { kind } of effects) count(kind);
  return counts;
}
