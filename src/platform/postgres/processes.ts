import { spawn, type SpawnOptions } from 'node:child_process';
import { codeOf } from './system-errors.ts';

export interface Command {
  program: string;
  args: string[];
  options: SpawnOptions;
}

export interface Outcome {
  exitCode: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. Rejects only when it cannot be started. */
export function run({ program, args, options }: Command): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
}

/** Whether some process has this number. It may have got it after the one you mean. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and is not ours.
    return codeOf(error) !== 'ESRCH';
  }
}
