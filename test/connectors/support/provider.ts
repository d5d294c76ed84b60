import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Behaviour } from '../../../ops/provider/behaviour.ts';
import type { Payment, Totals } from '../../../ops/provider/bank.ts';
import type { OutageKind } from '../../../ops/provider/outage.ts';

const main = fileURLToPath(new URL('../../../ops/provider/main.ts', import.meta.url));

export const providerSecret = 'a secret of tests';

/** The simulated provider as a process of its own, without latency and errors unless told so. */
export class Provider {
  readonly url: string;
  readonly #admin: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string, admin: string) {
    this.#child = child;
    this.url = url;
    this.#admin = admin;
  }

  static async start(...flags: readonly string[]): Promise<Provider> {
    const quick = ['--port', '0', '--admin-port', '0', '--latency', '0-0', '--errors', '0', '--confirm-after', '0-0'];
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, ...quick, '--secret', providerSecret, ...flags],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    for await (const line of createInterface({ input: child.stdout })) {
      const [, url = '', admin = ''] = /^provider ready: (\S+) admin: (\S+)$/.exec(line) ?? [];
      if (url !== '') return new Provider(child, url, admin);
    }
    throw new Error('the provider did not start');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
  }

  /** Everything as at the start, but for this. */
  async behave(behaviour: Partial<Behaviour> = {}): Promise<void> {
    await this.#post('behaviour', { ...calm, ...behaviour });
  }

  async outage(kind: OutageKind): Promise<void> {
    await this.#post('outage', { kind });
  }

  totals(): Promise<Totals & { readonly callbacks: { readonly delivered: number; readonly givenUp: number } }> {
    return this.#get('totals');
  }

  payments(reference: string): Promise<readonly Payment[]> {
    return this.#get(`payments?reference=${encodeURIComponent(reference)}`);
  }

  async say(reference: string, status: Payment['status'], code?: string): Promise<void> {
    await this.#post('say', { reference, status, ...(code === undefined ? {} : { code }) });
  }

  async settle(): Promise<string> {
    return (await this.#post('settle', {})).text();
  }

  async #get<Answer>(path: string): Promise<Answer> {
    return (await (await fetch(`${this.#admin}/admin/${path}`)).json()) as Answer;
  }

  async #post(path: string, body: object): Promise<Response> {
    const answer = await fetch(`${this.#admin}/admin/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  }
}

const calm: Partial<Behaviour> = {
  latency: '0-0',
  errors: 0,
  acceptedErrors: 0,
  acceptedTimeouts: 0,
  garbage: 0,
  notTaken: 0,
  refusals: 0,
  refusedAfterAccepted: 0,
  confirmAfter: '0-0',
  late: 0,
  onItsWay: 0,
  duplicateCallbacks: 0,
  outOfOrderCallbacks: 0,
  callbackFirst: 0,
  idempotency: true,
};
