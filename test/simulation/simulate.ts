import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keepStripped } from '../../ops/bin/keep-stripped.js';
import { plant } from './mutants/plant.ts';
import { textOf, type Scenario } from './scenario.ts';
import { calm, type Weather } from './world/weather.ts';

/** `npm run simulate -- --seed N --runs K`: docs/simulation.md. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    /** Prints everything that happens. */
    trace: { type: 'boolean', default: false },
    /** A failing run is printed as it is. */
    whole: { type: 'boolean', default: false },
    /** A bug that is put into the product: mutants/mutants.ts. */
    mutant: { type: 'string' },
  },
});
// As the launcher does: there is a start for every mutant.
const compiled = fileURLToPath(new URL('../../node_modules/.cache/kora', import.meta.url));
enableCompileCache(compiled);
keepStripped(compiled);
const checkPlanted = values.mutant === undefined ? undefined : plant(values.mutant);
// Loaded now and not before: a mutant is put in while its module is loaded.
const [{ run }, { shrink }, { scenarioOf }] = await Promise.all([
  import('./run.ts'),
  import('./shrink.ts'),
  import('./workloads/scenario-of.ts'),
]);
checkPlanted?.();
const [first, runs] = [wholeNumber('seed', values.seed), wholeNumber('runs', values.runs)];
let units = 0;
let found = false;
for (let seed = first; seed < first + runs && !found; seed++) {
  const scenario = scenarioOf(seed);
  const { failure, units: written } = await run(scenario, values.trace ? say : undefined);
  units += written;
  found = failure !== undefined;
  if (failure !== undefined) await tell(scenario, failure.promise, failure.message);
}
if (found) process.exitCode = 1;
else say(`${runs} runs from seed ${first}: ${units} units in their logs, nothing found`);

async function tell(scenario: Scenario, promise: string, message: string): Promise<void> {
  say(`seed ${scenario.seed} (${scenario.workload}) fails: ${message}`);
  const shortest = values.whole ? scenario : await shrink(scenario, promise);
  const again = values.whole ? undefined : (await run(shortest)).failure?.message;
  say(
    `the shortest history that still fails (${shortest.operations.length} of ${scenario.operations.length} operations):`,
  );
  for (const operation of shortest.operations) say(textOf(operation));
  const { weather, machines, terms, residentsMax, bufferedBytesMax } = shortest;
  const troubles = (Object.keys(calm) as (keyof Weather)[]).filter((name) => weather[name] > 0);
  say(`${machines} processes, ${residentsMax} residents, ${bufferedBytesMax} bytes buffered, ${JSON.stringify(terms)}`);
  say(`weather: ${troubles.map((name) => `${name} ${weather[name].toFixed(3)}`).join(', ') || 'calm'}`);
  if (again !== undefined) say(`it fails with: ${again}`);
}

function wholeNumber(name: string, text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  process.stderr.write(`--${name} is a whole number, not "${text}"\n`);
  return process.exit(64);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
