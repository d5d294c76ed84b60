/** `npm run bench` from end to end, with short runs: what it prints and writes is what docs/benchmarks.md promises. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const launcher = fileURLToPath(new URL('../../ops/bin/bench.js', import.meta.url));
const bench = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [launcher, ...args]);

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'kora-bench-test-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Document {
  readonly results: {
    name: string;
    value: number;
    unit: string;
    ratioTo: Record<string, number>;
    notes: Record<string, number>;
  }[];
  readonly machine: Record<string, unknown>;
}

test('measures, compares, prints a table and writes JSON', async () => {
  const file = join(folder, 'results.json');
  const { stdout } = await bench('--quick', '--only', 'core.accepted,peer.sqlFunction', '--json', file);
  expect(stdout).toMatch(/core\.accepted +[\d,.]+ +payments\/s/);
  expect(stdout).toMatch(/core\.accepted \/ peer\.sqlFunction +\d+\.\d+ +1\.3 +2\.5 +\S+/);
  const { results, machine } = JSON.parse(await readFile(file, 'utf8')) as Document;
  expect(results.map(({ name, unit }) => [name, unit])).toEqual([
    ['core.accepted', 'payments/s'],
    ['peer.sqlFunction', 'payments/s'],
  ]);
  const [ours, theirs] = results as [Document['results'][0], Document['results'][0]];
  expect(ours.ratioTo['peer.sqlFunction']).toBeCloseTo(ours.value / theirs.value);
  expect(machine['postgres']).toMatch(/^18\./);
  expect(machine['settings']).toMatchObject({ fsync: 'on', synchronous_commit: 'on' });
});

test('lists the names that the figures of the suite have', async () => {
  const { stdout } = await bench('core', '--list');
  expect(stdout.split('\n')).toEqual(
    expect.arrayContaining(['core.accepted', 'core.sustained', 'core.hot', 'core.rpcBatch100', 'core.rpcSingle']),
  );
  const { stdout: doors } = await bench('doors', '--list');
  expect(doors.split('\n')).toEqual(['doors.http', 'doors.http500', 'doors.fanout', 'peer.socketio', 'peer.ws', '']);
  const { stdout: growth } = await bench('growth', '--list');
  expect(growth.split('\n')).toEqual(['growth.1e4', 'growth.1e5', 'growth.1e6', 'growth.5e6', 'growth.open', '']);
});

test('measures the http door: retries make no second payment', async () => {
  const file = join(folder, 'doors.json');
  await bench('doors', '--quick', '--only', 'doors.http500', '--json', file);
  const { results } = JSON.parse(await readFile(file, 'utf8')) as Document;
  expect(results.map(({ name, unit }) => [name, unit])).toEqual([
    ['doors.http500', 'payments/s'],
    ...['p50', 'p95', 'p99'].map((part) => [`doors.http500.${part}`, 'ms']),
  ]);
  expect(results[0]?.notes['repeated']).toBeGreaterThan(30);
}, 300_000);

test('measures payments through a provider: what it did is what the books say', async () => {
  const { stdout: list } = await bench('connectors', '--list');
  expect(list.split('\n')).toEqual([
    'connectors.cashOut',
    'peer.naiveLoop',
    'connectors.slices',
    'connectors.breaker',
    '',
  ]);
  const file = join(folder, 'connectors.json');
  await bench('connectors', '--quick', '--only', 'connectors.cashOut', '--json', file);
  const { results } = JSON.parse(await readFile(file, 'utf8')) as Document;
  expect(results.map(({ name, unit }) => [name, unit])).toEqual([
    ['connectors.cashOut', 'payments/s'],
    ...['p50', 'p95', 'p99', 'sure.p99'].map((part) => [`connectors.cashOut.${part}`, 'ms']),
    ...['memory', 'memory.peak'].map((part) => [`connectors.cashOut.${part}`, 'MB']),
  ]);
  expect(results[0]?.notes['inDoubt']).toBeGreaterThan(5);
}, 300_000);

test('refuses a suite, a case or an option that there is not, with exit code 2', async () => {
  for (const args of [['nothing'], ['--only', 'core.nothing'], ['--fast']]) {
    await expect(bench(...args)).rejects.toMatchObject({ code: 2, stdout: '' });
  }
});
