import { performance } from 'node:perf_hooks';
import { median } from '../load/percentiles.ts';
import type { Case, Figure, Measured } from './case.ts';
import { runInChild } from './child.ts';
import type { BenchCluster } from './cluster.ts';
import type { Suite, Target } from './suite.ts';

export interface RunOptions {
  readonly rounds: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  /** Names of cases; absent: all. */
  readonly only?: readonly string[];
  /** For the processes of the cases. */
  readonly nodeOptions: readonly string[];
  readonly signal: AbortSignal;
  readonly onRun?: (run: FinishedRun) => void;
}

export interface FinishedRun {
  readonly round: number;
  readonly caseName: string;
  readonly seconds: number;
  readonly result: Measured | Error;
}

export interface Result extends Pick<Figure, 'name' | 'unit'> {
  /** The median of the rounds. */
  readonly value: number;
  /** Value divided by the value of another, by its name. */
  readonly ratioTo: Readonly<Record<string, number>>;
  readonly rounds: readonly number[];
  /** Medians of what was noted beside the figure. */
  readonly notes: Readonly<Record<string, number>>;
}

export interface SuiteResult {
  readonly results: readonly Result[];
  readonly failures: readonly { readonly caseName: string; readonly error: Error }[];
}

/**
 * Runs the cases of a suite in alternation (A B C, A B C, A B C), each time on a fresh database of the same server, after
 * a checkpoint, in a process of its own. A case that fails is left out from then on; the others go on.
 */
export async function runSuite(suite: Suite, cluster: BenchCluster, options: RunOptions): Promise<SuiteResult> {
  const { rounds, only, signal, onRun } = options;
  const runs = new Map<string, Measured[]>();
  const failures: { caseName: string; error: Error }[] = [];
  const cases = suite.cases.filter(({ name }) => only === undefined || only.includes(name));
  for (let round = 1; round <= rounds; round++) {
    for (const one of cases) {
      if (failures.some(({ caseName }) => caseName === one.name)) continue;
      const startedAt = performance.now();
      let result: Measured | Error;
      try {
        result = await runOnce(suite, one, cluster, options);
        runs.set(one.name, [...(runs.get(one.name) ?? []), result]);
      } catch (error) {
        if (signal.aborted) throw error;
        result = error instanceof Error ? error : new Error(String(error));
        failures.push({ caseName: one.name, error: result });
      }
      onRun?.({ round, caseName: one.name, seconds: (performance.now() - startedAt) / 1_000, result });
    }
  }
  const complete = [...runs].filter(([name]) => !failures.some(({ caseName }) => caseName === name));
  return {
    results: resultsOf(
      complete.map(([, measured]) => measured),
      suite.targets,
    ),
    failures,
  };
}

async function runOnce(
  suite: Suite,
  { name, database, spareMs, nodeOptions: itsOwn = [] }: Case,
  cluster: BenchCluster,
  { warmupMs, measureMs, nodeOptions, signal }: RunOptions,
): Promise<Measured> {
  signal.throwIfAborted();
  const fresh = await cluster.freshDatabase(database);
  try {
    const { postmasterPid } = cluster;
    const assignment = { suite: suite.name, caseName: name, ...fresh, postmasterPid, warmupMs, measureMs };
    return await runInChild(assignment, { nodeOptions: [...nodeOptions, ...itsOwn], spareMs }, signal);
  } finally {
    await cluster.drop(fresh);
  }
}

/** Medians over the rounds, and the ratios that the targets ask for. */
export function resultsOf(cases: readonly (readonly Measured[])[], targets: readonly Target[]): Result[] {
  const figures = cases.flatMap((rounds) => {
    const [first] = rounds;
    return (first?.figures ?? []).map(({ name, unit }) => {
      const values = rounds.map(({ figures }) => figures.find((figure) => figure.name === name)?.value ?? NaN);
      return { name, unit, value: median(values), rounds: values, notes: mediansOf(rounds) };
    });
  });
  return figures.map((figure) => {
    const ratios = targets
      .filter(({ of }) => of === figure.name)
      .map(({ to }) => figures.find(({ name }) => name === to))
      .filter((other) => other !== undefined)
      .map((other): [string, number] => [other.name, figure.value / other.value]);
    return { ...figure, ratioTo: Object.fromEntries(ratios) };
  });
}

function mediansOf(rounds: readonly Measured[]): Record<string, number> {
  const names = new Set(rounds.flatMap(({ notes }) => Object.keys(notes ?? {})));
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      median(rounds.map(({ notes }) => notes?.[name]).filter((note) => note !== undefined)),
    ]),
  );
}
