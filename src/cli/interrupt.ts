import { exitCodeOfSignal } from './exit-codes.ts';

/** The part of `process` that tells of signals. */
export interface SignalSource {
  on(event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Signals that come this soon after the first are the same one: npm and our launcher pass on what the terminal has sent
 * to everybody already. People need longer to change their mind.
 */
const sameSignalMs = 500;

/** The wish to stop. The first signal asks for it, the second one does not wait. */
export class Interrupt {
  readonly #asked = new AbortController();
  readonly #end: (exitCode: number) => void;
  readonly #now: () => number;
  #first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined;

  /** @param end leaves the process at once */
  constructor(source: SignalSource, end: (exitCode: number) => void, now: () => number = () => performance.now()) {
    this.#end = end;
    this.#now = now;
    for (const signal of signals) source.on(signal, () => this.ask(signal));
  }

  /** Asks to stop as this signal does. */
  ask(signal: NodeJS.Signals): void {
    const atMs = this.#now();
    if (this.#first === undefined) {
      this.#first = { signal, atMs };
      this.#asked.abort();
    } else if (atMs - this.#first.atMs > sameSignalMs) {
      this.#end(exitCodeOfSignal(signal));
    }
  }

  /** Aborts with the first signal. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** With what a command ends that was stopped before it was done; undefined while nobody asked. */
  get exitCode(): number | undefined {
    return this.#first === undefined ? undefined : exitCodeOfSignal(this.#first.signal);
  }

  /** Resolves with the first signal. */
  async asked(): Promise<void> {
    if (this.signal.aborted) return;
    await new Promise((resolve) => this.signal.addEventListener('abort', resolve, { once: true }));
  }
}
