import { exitCodeOfSignal } from './exit-codes.ts';

/** The part of `process` that tells of signals. */
export interface SignalSource {
  on(event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
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
  #first: NodeJS.Signals | undefined;

  /** @param end leaves the process at once */
  constructor(source: SignalSource, end: (exitCode: number) => void, now: () => number = () => performance.now()) {
    let firstAt = 0;
    const asked = (signal: NodeJS.Signals): void => {
      if (this.#first === undefined) {
        this.#first = signal;
        firstAt = now();
        this.#asked.abort();
      } else if (now() - firstAt > sameSignalMs) {
        end(exitCodeOfSignal(signal));
      }
    };
    for (const signal of signals) source.on(signal, asked);
    // The launcher was killed outright: nobody is left to pass signals on.
    source.on('disconnect', () => asked('SIGTERM'));
  }

  /** Aborts with the first signal. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** With what a command ends that was stopped before it was done; undefined while nobody asked. */
  get exitCode(): number | undefined {
    return this.#first === undefined ? undefined : exitCodeOfSignal(this.#first);
  }

  /** Resolves with the first signal. */
  async asked(): Promise<void> {
    if (this.signal.aborted) return;
    await new Promise((resolve) => this.signal.addEventListener('abort', resolve, { once: true }));
  }
}
