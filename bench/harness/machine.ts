import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import type { BenchCluster } from './cluster.ts';

/** What the figures were measured on: they mean little without it. */
export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  readonly postgres: string;
  readonly settings: Readonly<Record<string, string>>;
  /** One page made durable, in the folder of the data: the median of a hundred. */
  readonly fsyncMs: number;
  /** Others at work when the bench began: processes that wanted to run, over the last minute. */
  readonly load: number;
  /** The commit that was measured, `+` with changes that are in none. */
  readonly commit: string;
}

const settings = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_compression',
  'shared_buffers',
  'max_wal_size',
];

export async function describeMachine(cluster: BenchCluster): Promise<Machine> {
  const [cpu] = cpus();
  const values: Record<string, string> = {};
  for (const name of settings) values[name] = await cluster.setting(name);
  return {
    cores: cpus().length,
    model: cpu?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    postgres: await cluster.setting('server_version'),
    settings: values,
    fsyncMs: Number((await cluster.fsyncMs()).toFixed(2)),
    load: loadavg()[0] ?? 0,
    commit: commit(),
  };
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}
