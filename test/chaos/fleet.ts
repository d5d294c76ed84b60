import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../../ops/bin/node-flags.js';
import { type Address, Doors } from './doors.ts';

const launcher = fileURLToPath(new URL('../../ops/bin/kora.js', import.meta.url));
const again = { firstMs: 200, longestMs: 2_000 };

export interface FleetOptions {
  readonly size: number;
  readonly env: Readonly<Record<string, string>>;
  readonly logFolder: string;
  readonly token: string;
  /** Told of processes that end though nobody ended them. */
  readonly onLoss: (sentence: string) => void;
}

/** One place in the fleet: the process that is there now, and how to reach it. */
export interface Berth {
  readonly name: string;
  child: ChildProcess | undefined;
  /** Of the process that was there last: clients do not know that it is gone. */
  doors: Doors | undefined;
  address: Address | undefined;
  state: 'starting' | 'serving' | 'stopped' | 'ending' | 'gone';
}

/** Several `kora serve` on one database, each on ports of its own. It ends nothing but what it started. */
export class Fleet {
  readonly berths: readonly Berth[];
  readonly #options: FleetOptions;
  #closing = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.berths = Array.from({ length: options.size }, (_, index) => ({
      name: `kora-${index + 1}`,
      child: undefined,
      doors: undefined,
      address: undefined,
      state: 'gone',
    }));
  }

  /** Starts what is not there, until all of it serves. A start fails while the database is away: it is tried again. */
  async raise(signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.berths.map(async (berth) => {
        for (let waitMs = again.firstMs; berth.state === 'gone'; waitMs = Math.min(waitMs * 2, again.longestMs)) {
          signal.throwIfAborted();
          if (!(await this.#start(berth))) await sleep(waitMs);
        }
      }),
    );
  }

  kill(berth: Berth): void {
    berth.state = 'ending';
    berth.child?.kill('SIGKILL');
  }

  stop(berth: Berth): void {
    berth.state = 'stopped';
    berth.child?.kill('SIGSTOP');
  }

  resume(berth: Berth): void {
    if (berth.state === 'stopped') berth.state = 'serving';
    berth.child?.kill('SIGCONT');
  }

  /** Asks it to end, and waits until it has. Gives what it ended with. */
  async retire(berth: Berth): Promise<number | null> {
    const { child } = berth;
    if (child === undefined || berth.state !== 'serving') return 0;
    berth.state = 'ending';
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    return ended;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(
      this.berths.map(async ({ child }) => {
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await ended;
      }),
    );
  }

  /** @returns whether it serves */
  async #start(berth: Berth): Promise<boolean> {
    if (this.#closing) return false;
    const { env, logFolder, token, onLoss } = this.#options;
    const log = openSync(join(logFolder, `${berth.name}.log`), 'a');
    const ports = ['--http-port', '0', '--rpc-port', '0', '--stream-port', '0', '--metrics-port', '0'];
    const flags = ['--disable-warning=ExperimentalWarning', ...nodeFlags];
    const child = spawn(process.execPath, [...flags, launcher, 'serve', '--json', ...ports], {
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
      // Its channel breaks when we are killed outright: then it goes as well.
      stdio: ['ignore', 'pipe', log, 'ipc'],
    });
    closeSync(log);
    berth.child = child;
    berth.state = 'starting';
    child.once('exit', (code, signal) => {
      const wasAsked = berth.state === 'ending' || berth.state === 'starting' || this.#closing;
      if (!wasAsked) onLoss(`${berth.name} (process ${child.pid ?? 0}) ended by itself with ${code ?? signal ?? ''}`);
      berth.state = 'gone';
    });
    child.once('error', () => (berth.state = 'gone'));
    const lines = createInterface({ input: child.stdout as Readable });
    const first = await Promise.race([
      new Promise<string>((resolve) => lines.once('line', resolve)),
      new Promise<undefined>((resolve) => child.once('close', () => resolve(undefined))),
    ]);
    if (first === undefined) return false;
    berth.address = JSON.parse(first) as Address;
    berth.doors = new Doors(berth.address, token);
    // It may have been killed meanwhile.
    if (child.exitCode === null && child.signalCode === null) berth.state = 'serving';
    return true;
  }
}
