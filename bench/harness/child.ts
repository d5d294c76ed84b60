import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../ops/bin/node-flags.js';
import type { Measured } from './case.ts';
import type { Answer, Assignment } from './run-case.ts';

const program = fileURLToPath(new URL('run-case.ts', import.meta.url));

/**
 * Runs one case in a process of its own: no run inherits the heap, the compiled code or the sockets of another.
 *
 * @param nodeOptions for the process: `--cpu-prof` and the like
 * @param spareMs what it has beside its warm-up and measurement, for preparing and checking. Default two minutes
 */
export function runInChild(
  assignment: Assignment,
  {
    nodeOptions,
    spareMs = 120_000,
  }: { readonly nodeOptions: readonly string[]; readonly spareMs?: number | undefined },
  signal: AbortSignal,
): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = fork(program, {
      execArgv: ['--disable-warning=ExperimentalWarning', ...nodeFlags, ...nodeOptions],
      serialization: 'advanced',
    });
    const limitMs = assignment.warmupMs + assignment.measureMs + spareMs;
    const end = (): void => void child.kill('SIGKILL');
    const limit = setTimeout(end, limitMs);
    signal.addEventListener('abort', end, { once: true });
    let answer: Answer | undefined;
    child.on('message', (message) => (answer = message as Answer));
    child.on('error', reject);
    child.on('exit', (code, killedBy) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', end);
      if (answer === undefined)
        reject(new Error(`${assignment.caseName} ended without an answer (${killedBy ?? code ?? ''})`));
      else if ('error' in answer) reject(new Error(`${assignment.caseName}: ${answer.error}`));
      else resolve(answer.measured);
    });
    child.send(assignment);
  });
}
