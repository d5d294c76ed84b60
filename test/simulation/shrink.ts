import { run } from './run.ts';
import type { Operation, Scenario } from './scenario.ts';
import { calm, type Weather } from './world/weather.ts';

/** Runs that shrinking may take. */
const triesMax = 1_500;

/**
 * The shortest history that still breaks the same promise: operations are left out in ever smaller pieces (delta
 * debugging) until none can be left out, then trouble by trouble the weather is made calm.
 */
export async function shrink(scenario: Scenario, promise: string): Promise<Scenario> {
  let tries = 0;
  const stillFails = async (candidate: Scenario): Promise<boolean> => {
    if (tries++ >= triesMax) return false;
    return (await run(candidate)).failure?.promise === promise;
  };
  let shortest = await withFewerOperations(scenario, stillFails);
  for (const machines of [1, 2]) {
    const candidate = { ...shortest, machines };
    const fits = shortest.operations.every(
      (one) => !('machine' in one) || one.machine === 'store' || one.machine < machines,
    );
    if (machines < shortest.machines && fits && (await stillFails(candidate))) shortest = candidate;
  }
  for (const name of Object.keys(calm) as (keyof Weather)[]) {
    if (shortest.weather[name] === 0) continue;
    const candidate = { ...shortest, weather: { ...shortest.weather, [name]: 0 } };
    if (await stillFails(candidate)) shortest = candidate;
  }
  return withFewerOperations(shortest, stillFails);
}

async function withFewerOperations(
  scenario: Scenario,
  stillFails: (candidate: Scenario) => Promise<boolean>,
): Promise<Scenario> {
  let kept: readonly Operation[] = scenario.operations;
  let size = Math.ceil(kept.length / 2);
  while (size >= 1) {
    let isShorter = false;
    for (let start = 0; start < kept.length;) {
      const operations = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (await stillFails({ ...scenario, operations })) {
        kept = operations;
        isShorter = true;
      } else start += size;
    }
    if (!isShorter || size > kept.length) size = size === 1 && !isShorter ? 0 : Math.max(1, Math.floor(size / 2));
  }
  return { ...scenario, operations: kept };
}
