import { Finding } from './model/finding.ts';
import type { Scenario } from './scenario.ts';
import { World } from './world/world.ts';

/** What a run came to. */
export interface RunResult {
  /** Undefined: everything was as it must be. */
  readonly failure: { readonly promise: string; readonly message: string } | undefined;
  /** The whole log, as its store has it. */
  readonly log: () => string;
  readonly units: number;
}

/** Plays a scenario. The same scenario plays the same way, to the byte. */
export async function run(scenario: Scenario, trace?: (line: string) => void): Promise<RunResult> {
  const world = new World(scenario, trace);
  // What a promise of the product throws and nobody hears of is a finding as well.
  process.on('unhandledRejection', world.fail);
  process.on('uncaughtException', world.fail);
  let failure: RunResult['failure'];
  try {
    await world.run();
  } catch (error) {
    failure =
      error instanceof Finding
        ? { promise: error.promise, message: error.message }
        : { promise: 'fault', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    process.off('unhandledRejection', world.fail);
    process.off('uncaughtException', world.fail);
  }
  const { units, commits } = world.database.store;
  const log = (): string => JSON.stringify({ units, chain: commits.map(({ hash }) => hash.toString('hex')) });
  return { failure, log, units: units.length };
}
