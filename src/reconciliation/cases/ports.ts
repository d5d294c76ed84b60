import type { Core } from '../effects/core.ts';
import type { Decision, Effect } from '../matching/index.ts';

/** What cases have the core do. */
export type CaseCore = Pick<Core, 'book' | 'ask'>;

/** Where decisions of people go: the matching's store. The same id again changes nothing. */
export interface Decisions {
  put(decision: Decision): Promise<void>;
  /** Which of them are not there, or not of that bank profile. */
  missing(profile: string, lineIds: readonly string[], expectationIds: readonly string[]): Promise<readonly string[]>;
}

/** The money of lines in suspense. */
export interface Suspense {
  /**
   * From now on the lines are the case's to move, and matching leaves them alone. Again for the same case: as the first time.
   *
   * @returns false: not all of them are in suspense, and nothing was taken
   */
  take(lineIds: readonly string[], caseId: string): Promise<boolean>;
  /** Nothing was moved: they are matching's again. */
  giveBack(lineIds: readonly string[], caseId: string): Promise<void>;
}

/** An effect that was carried out, or that asks nothing of the core, with what its case will be about. */
export interface EffectSeen extends Effect {
  readonly sequence: number;
  /** The core's refusal. */
  readonly refusal?: { readonly code: string };
  /** Signed, of its lines together; without lines of its expectations, negative where they go out. */
  readonly amount: bigint;
  readonly refused: boolean;
}
