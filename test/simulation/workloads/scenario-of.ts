import type { Scenario } from '../scenario.ts';
import { Random } from '../world/random.ts';
import { calm, rough, type Weather } from '../world/weather.ts';
import { Author } from './author.ts';
import { planOf } from './providers.ts';
import { faults, outages, watchers } from './faults.ts';
import { steps, workloads, type Workload } from './steps.ts';

/** Everything of a run that its seed decides beforehand. */
export function scenarioOf(seed: number): Scenario {
  const random = new Random(`scenario ${seed}`);
  const workload = workloads[seed % workloads.length] as Workload;
  const machines = random.pick([1, 2, 2, 2, 3]);
  const author = new Author(random, random.pick([600, 2_000, 6_000]));
  author.open(workload === 'everyone pays everyone' ? 60n : 300n);
  for (let left = random.whole(15, 45); left > 0; left--) steps[workload](author);
  watchers(author);
  if (random.chance(0.85)) faults(author, machines);
  const ofProviders = new Random(`providers ${seed}`);
  const plan = planOf(ofProviders);
  if (ofProviders.chance(0.6)) outages(author, plan);
  return {
    seed,
    workload,
    machines,
    weather: weatherOf(random),
    terms: { holdMs: random.pick([300, 2_000, 20_000]), settleAfterMs: random.pick([200, 5_000]) },
    // Few places: what came to an end, a fifth of them, is put out of memory and asked for again all the time.
    residentsMax: random.pick([1, 4, 12, 30, 1_000]),
    bufferedBytesMax: random.pick([2_000, 20_000, 1_000_000]),
    plan,
    operations: author.operations.sort((one, other) => one.atMs - other.atMs),
  };
}

/** Every trouble by itself, all of them, or none. */
function weatherOf(random: Random): Weather {
  const share = random.pick([0, 0.3, 1, 1, 2]);
  const names = Object.keys(rough) as (keyof Weather)[];
  const weather: Record<keyof Weather, number> = { ...calm };
  const isMixed = random.chance(0.5);
  for (const name of names) if (!isMixed || random.chance(0.5)) weather[name] = Math.min(0.6, rough[name] * share);
  return weather;
}
