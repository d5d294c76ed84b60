import type { EventLog, LogCapabilities, Position } from '../event-log.ts';
import type { BatchLimits } from '../planner/batch-planner.ts';
import type { UnitLimits } from '../planner/planned-unit.ts';

export interface LogLimits {
  readonly unitLimits?: Partial<UnitLimits>;
  readonly batchLimits?: Partial<BatchLimits>;
}

/** One store that starts empty, and logs on it that stand for processes. */
export interface LogHarness {
  /** Several logs behave like several processes on one store. */
  open(limits?: LogLimits): EventLog;
  /** The commits of the store in order; needed where `hashChain` is declared. */
  commits?(): Promise<readonly StoredCommit[]>;
  /** Closes the logs that were opened. */
  dispose(): Promise<void>;
}

export interface StoredCommit {
  readonly position: Position;
  readonly count: number;
  readonly recordedAtMicros: bigint;
  readonly digest: Buffer;
  readonly hash: Buffer;
}

export interface Contract {
  readonly makeHarness: () => Promise<LogHarness>;
  /** An empty store for one test, disposed of at its end, and a first log on it. */
  readonly start: (limits?: LogLimits) => Promise<{ harness: LogHarness; log: EventLog }>;
  /** Registers a test of a declared capability; lists it by name, skipped, where it is not declared. */
  readonly needs: (capability: keyof LogCapabilities, name: string, run: () => Promise<void>) => void;
  readonly randomRuns: number;
}
