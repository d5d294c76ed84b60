import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { AppendResult } from '../../../eventstore/index.ts';
import type { Told } from '../../../eventstore/testing/histories.ts';
import type { DeciderProcessOptions } from '../fixtures/decider-process.ts';
import { until } from './until.ts';

/** A child that speaks JSON lines. What the test leaves running is killed. */
class LineProcess<Line> {
  readonly lines: Line[] = [];
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #errors = '';

  constructor(fixture: string, argument: unknown) {
    const path = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url));
    const child = spawn(process.execPath, [path, JSON.stringify(argument)], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(JSON.parse(line) as Line));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal }));
    });
    onTestFinished(async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await this.ended;
    });
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Tells it that there is no more to do, and waits until it has ended well. */
  async finish(): Promise<void> {
    this.child.stdin?.end();
    const { code, signal } = await this.ended;
    if (code !== 0) throw new Error(`the process ended with ${code ?? signal}: ${this.#errors}`);
  }

  /** Waits for something that the running process says. */
  async until(condition: (lines: readonly Line[]) => boolean): Promise<void> {
    await until(() => {
      if (condition(this.lines)) return true;
      if (!this.running) throw new Error(`the process ended while something was expected of it: ${this.#errors}`);
      return false;
    });
  }
}

interface DeciderLine {
  readonly id?: string;
  readonly result?: AppendResult;
  readonly trouble?: string | null;
}

export class DeciderProcess extends LineProcess<DeciderLine> {
  constructor(options: DeciderProcessOptions) {
    super('decider-process.ts', options);
  }

  /** Units that it was told to be committed. */
  get committed(): number {
    return this.lines.filter((line) => line.result?.outcome === 'committed').length;
  }

  async untilCommitted(count: number): Promise<void> {
    await this.until(() => this.committed >= count);
  }

  /** What it was told of all its units; of those that it was killed over nobody knows. */
  get outcomes(): Map<string, Told> {
    const outcomes = new Map<string, Told>();
    for (const { id, result } of this.lines) {
      if (id === undefined) continue;
      if (result !== undefined) outcomes.set(id, result);
      else if (!outcomes.has(id)) outcomes.set(id, 'unknown');
    }
    return outcomes;
  }
}

export interface FollowedUnit {
  readonly id: string;
  readonly position: number;
  readonly lastPosition: number;
  readonly events: number;
}

export class FollowerProcess extends LineProcess<FollowedUnit | { trouble: string; code?: string }> {
  constructor(config: object) {
    super('follower-process.ts', config);
  }

  get units(): FollowedUnit[] {
    return this.lines.filter((line) => 'position' in line);
  }

  get troubles(): { trouble: string; code?: string }[] {
    return this.lines.filter((line) => 'trouble' in line);
  }

  async untilPosition(position: number): Promise<void> {
    await this.until(() => (this.units.at(-1)?.lastPosition ?? 0) >= position);
  }
}
