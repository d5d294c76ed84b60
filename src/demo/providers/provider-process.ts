import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

// By its path, as a process: the product imports nothing of what is there to play with.
const main = fileURLToPath(new URL('../../../ops/provider/main.ts', import.meta.url));
const flags = ['--port', '0', '--admin-port', '0', '--errors', '0'];

interface Sum {
  readonly count: number;
  readonly amount: string;
  readonly fees: string;
}
/** What a provider's own books say. */
export interface ProviderTotals {
  readonly pending: number;
  readonly refused: number;
  readonly moved: Readonly<Record<string, { readonly collected: Sum; readonly disbursed: Sum }>>;
  /** References that were paid more than once. */
  readonly doubles: readonly { readonly reference: string }[];
  readonly callbacks: { readonly delivered: number };
}

/** A simulated provider (docs/connectors.md, "A provider to play with"), which is told over its admin's port how to behave. */
export class ProviderProcess {
  readonly url: string;
  readonly admin: string;
  /** Its settlement reports so far, as CSV. */
  readonly reports: string[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string, admin: string) {
    this.#child = child;
    this.url = url;
    this.admin = admin;
  }

  /** Resolves when it listens. It ends with us, however we end: it is at the other end of a channel. */
  static async start(options: {
    readonly secret: string;
    readonly seed: number;
    readonly callbackUrl: string;
    readonly behaviour: readonly string[];
  }): Promise<ProviderProcess> {
    const { secret, seed, callbackUrl, behaviour } = options;
    const told = [...flags, '--seed', String(seed), '--callback-url', callbackUrl, ...behaviour];
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...told], {
      // In a group of its own: Ctrl-C is for us, who let payments at work end before the provider does.
      detached: true,
      env: { PROVIDER_SECRET: secret },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    // It keeps nobody up who is done.
    child.unref();
    child.channel?.unref();
    if (child.stdout === null) throw new Error('the provider has no output');
    for await (const line of createInterface({ input: child.stdout })) {
      const [, url = '', admin = ''] = /^provider ready: (\S+) admin: (\S+)$/.exec(line) ?? [];
      if (url !== '') return new ProviderProcess(child, url, admin);
    }
    throw new Error('the provider did not start');
  }

  /** From now on, beside what it was told before: `{"latency": "20-150"}`. */
  async behave(behaviour: Readonly<Record<string, number | string>>): Promise<void> {
    await this.#post('behaviour', behaviour);
  }

  /** `refuse`: nobody gets a connection. `none`: it is back. */
  async outage(kind: 'refuse' | 'none'): Promise<void> {
    await this.#post('outage', { kind });
  }

  /** Ends its day: what is confirmed is settled, and told to us. */
  async settle(): Promise<void> {
    this.reports.push(await this.#post('settle', {}));
  }

  async totals(): Promise<ProviderTotals> {
    return (await (await fetch(`${this.admin}/admin/totals`)).json()) as ProviderTotals;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.ref();
    this.#child.kill('SIGTERM');
    await gone;
  }

  async #post(path: string, body: object): Promise<string> {
    const answer = await fetch(`${this.admin}/admin/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the provider says ${answer.status}: ${await answer.text()}`);
    return answer.text();
  }
}
