import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const launcher = fileURLToPath(new URL('../../ops/bin/kora.js', import.meta.url));

export interface Ended {
  /** As a shell says it: 128 + n for a process that signal n ended. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Spawned {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Ended>;
}

interface SpawnOptions {
  /** Beside PATH, and nothing else of ours. */
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeFlags?: readonly string[];
  readonly launcher?: string;
  /** As people start it: npx finds the command by itself. */
  readonly npx?: boolean;
}

/** Takes type stripping away from Node, as an old one: the launcher must find the pinned one. */
export const oldNode = ['--no-experimental-strip-types'];

/** Starts the real launcher as a process. What the test leaves running is killed. */
export function spawnKora(args: readonly string[], options: SpawnOptions = {}): Spawned {
  const { nodeFlags = [], launcher: file = launcher, npx = false, env } = options;
  const [command, first] = npx ? ['npx', ['kora']] : [process.execPath, [...nodeFlags, file]];
  const child = spawn(command, [...first, ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { process: child, ended };
}

/** Runs a command to its end. */
export function kora(args: readonly string[], options?: SpawnOptions): Promise<Ended> {
  return spawnKora(args, options).ended;
}

export interface Serving extends Spawned {
  readonly http: string;
  readonly rpc: string;
  readonly metrics: string;
  readonly stream: string;
  /** Of the process that serves, which may be the launcher's child. */
  readonly pid: number;
}

/** Starts `kora serve` on any free ports and waits until it says where it listens. */
export async function serve(args: readonly string[], options?: SpawnOptions): Promise<Serving> {
  const spawned = spawnKora(
    ['serve', '--json', '--http-port', '0', '--rpc-port', '0', '--stream-port', '0', '--metrics-port', '0', ...args],
    options,
  );
  const lines = createInterface({ input: spawned.process.stdout });
  const first = await Promise.race([
    new Promise<string>((resolve) => lines.once('line', resolve)),
    spawned.ended.then(({ stderr }) => Promise.reject(new Error(`serve did not start: ${stderr}`))),
  ]);
  return { ...spawned, ...(JSON.parse(first) as Pick<Serving, 'http' | 'rpc' | 'stream' | 'metrics' | 'pid'>) };
}
