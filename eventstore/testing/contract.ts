import { describe, onTestFinished, test } from 'vitest';
import type { EventLog, LogCapabilities, Position } from '../event-log.ts';
import type { BatchLimits } from '../planner/batch-planner.ts';
import type { UnitLimits } from '../planner/planned-unit.ts';
import { appendContract } from './contract-append.ts';
import { closeContract } from './contract-close.ts';
import { invalidUnitContract } from './contract-invalid-units.ts';
import { readContract } from './contract-read.ts';
import { serializableContract } from './contract-serializable.ts';
import { speculationContract } from './contract-speculation.ts';
import { subscribeContract } from './contract-subscribe.ts';

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

export interface ContractOptions {
  readonly capabilities: LogCapabilities;
  /** Random histories that the property test tries. */
  readonly randomRuns: number;
}

/**
 * Proves that an adapter keeps the promises of the port: units whole or absent, expectations that hold where the unit
 * stands, refusal that takes along what stood on the refused, readers that miss and repeat nothing.
 */
export function eventLogContract(
  name: string,
  { capabilities, randomRuns }: ContractOptions,
  makeHarness: () => Promise<LogHarness>,
): void {
  const contract: Contract = {
    makeHarness,
    async start(limits) {
      const harness = await makeHarness();
      onTestFinished(() => harness.dispose());
      return { harness, log: harness.open(limits) };
    },
    needs(capability, title, run) {
      if (capabilities[capability]) test(title, run);
      else test.skip(`${title} [needs ${capability}]`);
    },
    randomRuns,
  };
  describe(`${name} keeps the contract of the log`, () => {
    readContract(contract, capabilities);
    appendContract(contract);
    invalidUnitContract(contract);
    speculationContract(contract);
    subscribeContract(contract);
    closeContract(contract);
    serializableContract(contract);
  });
}
