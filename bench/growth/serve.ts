import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../ops/bin/node-flags.js';
import { InvalidRunError } from '../harness/case.ts';
import { processorMs } from '../harness/cpu-meter.ts';

const launcher = fileURLToPath(new URL('../../ops/bin/kora.js', import.meta.url));

export interface StartTime {
  /** From the spawn to the line in which it says where it listens. */
  readonly ms: number;
  /** What it used of the processors until then: the same on a machine that others use too. NaN where nobody tells. */
  readonly processorMs: number;
}

/** Starts `kora serve` so many times, one after another. */
export async function startTimes(databaseUrl: string, count: number): Promise<StartTime[]> {
  // Keys are kept in the data folder, also where the database is elsewhere: they belong to it.
  const dataDir = await mkdtemp(join(tmpdir(), 'kora-bench-serve-'));
  try {
    const times: StartTime[] = [];
    while (times.length < count) times.push(await startTime(databaseUrl, dataDir));
    return times;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Starts it as people do, waits until it says where it listens, and stops it. */
async function startTime(databaseUrl: string, dataDir: string): Promise<StartTime> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...nodeFlags,
      launcher,
      'serve',
      '--json',
      '--http-port',
      '0',
      '--rpc-port',
      '0',
      '--stream-port',
      '0',
      '--metrics-port',
      '0',
    ],
    {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '',
        DATABASE_URL: databaseUrl,
        KORA_DATA_DIR: dataDir,
        KORA_LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'exit');
  try {
    const ready = once(createInterface({ input: child.stdout }), 'line').then(() => performance.now() - startedAt);
    const ms = await Promise.race([ready, ended.then(() => undefined)]);
    if (ms === undefined) throw new InvalidRunError('kora serve did not start');
    return { ms, processorMs: (child.pid === undefined ? undefined : processorMs(child.pid)) ?? NaN };
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}
