/** `npm run bench -- [suite] [options]`: docs/benchmarks.md says what is measured and how. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BenchCluster } from './harness/cluster.ts';
import { describeMachine } from './harness/machine.ts';
import { jsonOf, progressLine, reportOf } from './harness/report.ts';
import { runSuite } from './harness/run-suite.ts';
import type { Suite } from './harness/suite.ts';
import { suites } from './suites.ts';

const usage = `npm run bench -- [suite] [options]

Measures a suite on an embedded PostgreSQL of its own, in a temporary folder.

Suites (the first is the default):
${suites.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`).join('\n')}

Options:
  --json FILE        write the results as JSON
  --only NAME,…      only these cases of the suite (see --list)
  --rounds N         rounds, of which the median counts (default 3; of growth, 1)
  --quick            one round of short runs, to see that everything works: no figures to quote
  --cpu-prof FOLDER  write a CPU profile of every case's process
  --list             list the cases of the suite
  --help             this text

Exit codes: 0 measured (whatever the figures are), 1 a case failed, 2 wrong usage, 130 interrupted.
`;

const print = (text: string): void => void process.stdout.write(text);
const say = (text: string): void => void process.stderr.write(text);

interface Options {
  readonly suite: Suite;
  readonly json: string | undefined;
  readonly only: readonly string[] | undefined;
  readonly rounds: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  readonly nodeOptions: readonly string[];
}

/** A message says what is wrong with the arguments. */
function readArguments(args: string[]): Options | 'help' | { list: Suite } | { message: string } {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        only: { type: 'string' },
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        'cpu-prof': { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
  const { values, positionals } = parsed;
  if (values.help) return 'help';
  const [wanted, ...more] = positionals;
  const suite = wanted === undefined ? suites[0] : suites.find(({ name }) => name === wanted);
  if (suite === undefined || more.length > 0) return { message: `no such suite: ${positionals.join(' ')}` };
  if (values.list) return { list: suite };
  const only = values.only?.split(',');
  const unknown = only?.find((name) => !suite.cases.some((one) => one.name === name));
  if (unknown !== undefined) return { message: `suite ${suite.name} has no case ${unknown}` };
  const rounds = Number(values.rounds ?? (values.quick ? 1 : (suite.rounds ?? 3)));
  if (!Number.isInteger(rounds) || rounds < 1) return { message: `not a number of rounds: ${values.rounds ?? ''}` };
  const profile = values['cpu-prof'];
  return {
    suite,
    json: values.json,
    only,
    rounds,
    warmupMs: values.quick ? 1_000 : 3_000,
    measureMs: values.quick ? 2_000 : 6_000,
    nodeOptions: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
  };
}

/** Peers are no part of the product: they are installed when somebody measures. */
function installPeers(): void {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const names = Object.keys(dependencies);
  if (names.every((name) => existsSync(new URL(`node_modules/${name}`, import.meta.url)))) return;
  say('installing the peers: npm ci --prefix bench\n');
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) say('the peers could not be installed: their cases will fail\n');
}

async function bench(options: Options, signal: AbortSignal): Promise<number> {
  const { suite, json } = options;
  if (suite.peers) installPeers();
  const startedAt = new Date();
  const cluster = await BenchCluster.open();
  try {
    const machine = await describeMachine(cluster);
    const { only, ...rest } = options;
    const result = await runSuite(suite, cluster, {
      ...rest,
      ...(only && { only }),
      signal,
      onRun: (run) => say(progressLine(run)),
    });
    print(reportOf(suite, result, machine));
    if (json !== undefined)
      await writeFile(json, `${JSON.stringify(jsonOf(suite, result, machine, startedAt), null, 2)}\n`);
    return result.failures.length > 0 ? 1 : 0;
  } finally {
    await cluster.close();
  }
}

const options = readArguments(process.argv.slice(2));
if (options === 'help') {
  print(usage);
} else if ('message' in options) {
  say(`${options.message}\n\n${usage}`);
  process.exitCode = 2;
} else if ('list' in options) {
  print(options.list.cases.map(({ name }) => `${name}\n`).join(''));
} else {
  const interrupted = new AbortController();
  // Once: a second Ctrl-C ends at once, and leaves the temporary folder behind.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  try {
    process.exitCode = await bench(options, interrupted.signal);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    process.exitCode = 130;
  }
}
