import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Totals } from '../../ops/provider/bank.ts';
import { Dice } from '../../ops/provider/dice.ts';
import type { OutageKind } from '../../ops/provider/outage.ts';
import { InvalidRunError } from '../harness/case.ts';

export const providerSecret = 'only-to-measure-with';

/** As the issue has it; a payment is confirmed in the answer, so nothing but the latency is the provider's own time. */
const latency = '200-2000';
const errors = '0.02';

/** A simulated provider in a process of its own, slow and faulty, on the loopback. */
export class SimulatedProvider {
  readonly url: string;
  readonly pid: number;
  readonly #admin: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #dice: Dice;

  private constructor(child: ChildProcess, ended: Promise<unknown>, said: RegExpExecArray, seed: string) {
    const [, url = '', admin = ''] = said;
    this.url = url;
    this.pid = child.pid ?? 0;
    this.#admin = admin;
    this.#child = child;
    this.#ended = ended;
    this.#dice = new Dice(seed);
  }

  static async start(seed: string): Promise<SimulatedProvider> {
    const options = { port: 0, 'admin-port': 0, latency, errors, 'confirm-after': '0-0', secret: providerSecret, seed };
    const child = fork(
      fileURLToPath(new URL('provider-process.ts', import.meta.url)),
      Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      { execArgv: ['--disable-warning=ExperimentalWarning'], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
    );
    const ended = once(child, 'exit');
    if (child.stdout !== null) {
      for await (const line of createInterface({ input: child.stdout })) {
        const said = /^provider ready: (\S+) admin: (\S+)$/.exec(line);
        if (said !== null) return new SimulatedProvider(child, ended, said, seed);
      }
    }
    throw new InvalidRunError('the provider did not start');
  }

  /** What the provider itself takes to answer the first request about this payment: its seed says so. */
  latencyMs(reference: string): number {
    return this.#dice.within(latency, reference, 'latency 1');
  }

  async outage(kind: OutageKind): Promise<void> {
    await this.#ask('outage', { method: 'POST', body: JSON.stringify({ kind }) });
  }

  async totals(): Promise<Totals> {
    return (await this.#ask('totals', {})).json() as Promise<Totals>;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }

  async #ask(what: string, init: RequestInit): Promise<Response> {
    const answer = await fetch(`${this.#admin}/admin/${what}`, {
      ...init,
      ...(init.body !== undefined && { headers: { 'content-type': 'application/json' } }),
    });
    if (!answer.ok) throw new InvalidRunError(`the provider says ${answer.status}: ${await answer.text()}`);
    return answer;
  }
}
