import { describe, onTestFinished, test } from 'vitest';
import type { LogCapabilities } from '../event-log.ts';
import { appendContract } from './contract-append.ts';
import { closeContract } from './contract-close.ts';
import { invalidUnitContract } from './contract-invalid-units.ts';
import { readContract } from './contract-read.ts';
import { serializableContract } from './contract-serializable.ts';
import { speculationContract } from './contract-speculation.ts';
import { subscribeContract } from './contract-subscribe.ts';
import type { Contract, LogHarness } from './harness.ts';

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
