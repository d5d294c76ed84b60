import type { Because } from './board.ts';
import type { Day } from './days.ts';
import type { Key } from './keys.ts';
import type { MatchingRules } from './rules.ts';
import type { Decision, Expectation, ExpectationState, ExternalLine, LineState, Reason } from './sides.ts';

/** The port of the store: what is known of both sides, what was matched, and what it means for the core. */

interface Stored<State> {
  /** The store's own name of it. */
  readonly number: number;
  readonly state: State;
  readonly reason?: Reason;
  /** The match that it is in: there is room for one, so matches are exclusive. */
  readonly matchId?: number;
  readonly agreed: boolean;
  /** It is new, or was changed, and has not been looked at since. */
  readonly waiting: boolean;
  /** Whether it was ever looked at. */
  readonly examined: boolean;
  /** How many times what became of it changed. */
  readonly changes: number;
}
export interface StoredLine extends Stored<LineState> {
  readonly line: ExternalLine;
  readonly direct: boolean;
}
export interface StoredExpectation extends Stored<ExpectationState> {
  readonly expectation: Expectation;
}

export type MatchKind = 'match' | 'mismatch' | 'known' | 'reversal';

export interface StoredMatch {
  readonly id: number;
  readonly rule: string;
  readonly kind: MatchKind;
  readonly rulesVersion: string;
  readonly lineIds: readonly string[];
  /** In the order of `fees`. */
  readonly expectationIds: readonly string[];
  readonly fees: readonly bigint[];
  readonly because: Because;
}

/** What whoever carries effects out does with them is in docs/reconciliation.md. */
export type EffectKind =
  'settle' | 'displaced' | 'reversed' | 'known' | 'mismatch' | 'missing_internal' | 'missing_provider' | 'reopened';

export interface Effect {
  /** A hash of kind, lines, expectations, and how often what became of them changed: the same effect has one id for ever. */
  readonly id: string;
  readonly kind: EffectKind;
  readonly profile: string;
  readonly lineIds: readonly string[];
  readonly expectationIds: readonly string[];
  readonly detail: EffectDetail;
}

/** Amounts are minor units, as text. */
export interface EffectDetail {
  readonly rule?: string;
  readonly rulesVersion?: string;
  readonly matchId?: number;
  readonly fields?: readonly string[];
  readonly token?: string;
  readonly amount?: string;
  readonly fee?: string;
  readonly difference?: string;
  readonly posting?: 'fee' | 'interest';
  readonly decision?: string;
  readonly reason?: Reason;
  /** What the line (for `missing_provider`: the expectation) was before: whoever posts knows where its money stands. */
  readonly was: LineState | ExpectationState;
  readonly currency: string;
}

export interface Outcome {
  readonly id: string;
  readonly number: number;
  readonly state: LineState | ExpectationState;
  readonly reason?: Reason;
  readonly matchId?: number;
  readonly due?: Day;
  readonly agreed: boolean;
  readonly direct?: boolean;
  /** Whether it is not what it was. */
  readonly changed: boolean;
  /** Whether it was looked at before. */
  readonly examined: boolean;
}

export interface Changes {
  readonly lines: readonly Outcome[];
  readonly expectations: readonly Outcome[];
  readonly ended: readonly number[];
  readonly made: readonly StoredMatch[];
  readonly effects: readonly Effect[];
  readonly lookedAt: LookedAt;
}

/** Numbers up to which everything has been looked at once; absent: as far as it was. */
export interface LookedAt {
  readonly line?: number;
  readonly expectation?: number;
}

export interface WeakRange {
  readonly key: Key;
  readonly from: Day;
  readonly to: Day;
}

export interface Examined {
  readonly lines: readonly StoredLine[];
  readonly expectations: readonly StoredExpectation[];
}

/** Reads what is there now. */
export interface MatchingReader {
  /** How often what was there already was changed by feeding. */
  amendments(): Promise<number>;
  /** What is new or changed, then what time alone may change on that day: so many at most, of each side in the order of numbers. */
  due(today: Day, limit: number): Promise<Examined>;
  /** What was never looked at, after these numbers, in their order. */
  fresh(limit: number, after: LookedAt): Promise<Examined>;
  linesById(ids: readonly string[]): Promise<readonly StoredLine[]>;
  expectationsById(ids: readonly string[]): Promise<readonly StoredExpectation[]>;
  linesByNumber(numbers: readonly number[]): Promise<readonly StoredLine[]>;
  expectationsByNumber(numbers: readonly number[]): Promise<readonly StoredExpectation[]>;
  /** Numbers, some of them more than once. */
  linesByKey(keys: readonly Key[]): Promise<readonly number[]>;
  /** Of lines that were looked at and refer to no single expectation. */
  groupLinesByKey(keys: readonly Key[]): Promise<readonly number[]>;
  expectationsByKey(keys: readonly Key[]): Promise<readonly number[]>;
  /** Those that no reference ties to anything, as far as is known. */
  weakLines(ranges: readonly WeakRange[]): Promise<readonly number[]>;
  weakExpectations(ranges: readonly WeakRange[]): Promise<readonly number[]>;
  /** Decisions that name any of them and are not revoked. */
  decisionsOn(lineIds: readonly string[], expectationIds: readonly string[]): Promise<readonly Decision[]>;
  matchesById(ids: readonly number[]): Promise<readonly StoredMatch[]>;
}

/** Reads and writes of one transaction. Nobody else writes meanwhile, but what is fed anew. */
export interface MatchingTransaction extends MatchingReader {
  lastMatchId(): Promise<number>;
  write(changes: Changes, run: { readonly id: string; readonly rulesVersion: string }): Promise<void>;
  /** Under the next number of the run, from 1. */
  recordBatch(runId: string, number: number, counts: Counts): Promise<void>;
}

/** How many of what came out: rules by `matched.<rule>`, effects by their kind, `lines`, `expectations`. */
export type Counts = Readonly<Record<string, number>>;

/** What is fed, with the place in the feed that it comes from and leads to. */
export interface Fed {
  readonly lines?: readonly ExternalLine[];
  readonly expectations?: readonly Expectation[];
  readonly decisions?: readonly Decision[];
  /** Absent: nobody keeps a place. Putting the same again changes nothing. */
  readonly cursor?: { readonly feed: string; readonly from: number; readonly to: number };
}

export interface MatchingStore {
  /**
   * Writes what is fed, and the place, in one transaction. A line that is there stays as it is, but for its release; of an
   * expectation the later position holds, and its references add up.
   *
   * @returns `elsewhere`: the feed's place is not `from`; nothing was written
   */
  put(fed: Fed): Promise<'written' | 'elsewhere'>;
  /** Where a feed stands; 0 where it never came. */
  cursorOf(feed: string): Promise<number>;
  /** Reads without a lock: what is committed at each moment. */
  look<Result>(work: (reader: MatchingReader) => Promise<Result>): Promise<Result>;
  transact<Result>(work: (tx: MatchingTransaction) => Promise<Result>): Promise<Result>;
  /**
   * Notes by which rules is matched from now on. When they are others than before, everything that stands alone or in a
   * mismatch waits to be looked at again, from the same moment on.
   *
   * @returns whether they are others
   * @throws RulesError: rules of that version were others
   */
  useRules(rules: Pick<MatchingRules, 'version' | 'fingerprint'>): Promise<boolean>;
  /** Batches of a run after that number, in order. */
  batchesOf(runId: string, after: number): Promise<readonly { readonly number: number; readonly counts: Counts }[]>;
}
