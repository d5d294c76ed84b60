import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { releaseLease, takeLease } from './postgres/leases.ts';

export interface LeaderOptions {
  readonly pool: pg.Pool;
  /** What is led: one process at a time does it. */
  readonly name: string;
  /** This process, in this life. */
  readonly holder: string;
  /**
   * What the leader does, until the signal aborts. It is started again at each election. It must bear that another process
   * begins before this one has ended: a lease saves work, and fences nothing.
   */
  readonly work: (signal: AbortSignal) => Promise<void>;
  /** How long a lease is good for after it was taken or renewed. Default 3,000 ms. */
  readonly termMs?: number;
  /** How often it is renewed. Default 1,000 ms. */
  readonly renewMs?: number;
  /** How often the others look whether it is free. Default 500 ms. */
  readonly retryMs?: number;
  readonly onElected?: () => void;
  /** Told of what keeps it from being renewed, and of work that failed. */
  readonly onError?: (error: unknown) => void;
}

interface Term {
  readonly over: AbortController;
  readonly done: Promise<void>;
}

/**
 * Leads when it is elected: whoever takes the lease does the work. The lease ends by the database's clock, so a leader that
 * was killed or stopped is followed within the term; and the leader knows by its own monotonic clock, counted from before
 * it asked, when it may have ended, and stops by itself.
 */
export class Leader {
  readonly #options: Required<Omit<LeaderOptions, 'onElected' | 'onError'>> & LeaderOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #heldUntilMs = 0;
  #term: Term | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeaderOptions) {
    this.#options = { termMs: 3_000, renewMs: 1_000, retryMs: 500, ...options };
    this.#running = this.#run();
  }

  /** Ends the work, waits for it, and gives the lease back: another process takes it at its next look. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#term?.over.abort();
    await this.#running;
    // The last time that it asked may have been granted.
    this.#term?.over.abort();
    clearTimeout(this.#timer);
    await this.#term?.done;
    const { pool, name, holder, onError } = this.#options;
    await releaseLease(pool, name, holder).catch((error: unknown) => onError?.(error));
  }

  async #run(): Promise<void> {
    const { pool, name, holder, termMs, renewMs, retryMs, onError } = this.#options;
    while (!this.#stop.signal.aborted) {
      const askedAtMs = performance.now();
      try {
        if (await takeLease(pool, name, holder, termMs)) this.#held(askedAtMs + termMs);
        else this.#lost();
      } catch (error) {
        // Held on until its end, by our clock; then somebody else may have it.
        onError?.(error);
      }
      const pauseMs = this.#term === undefined ? retryMs : renewMs;
      await sleep(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  #held(untilMs: number): void {
    if (this.#stop.signal.aborted || untilMs <= performance.now()) return;
    this.#heldUntilMs = untilMs;
    this.#watch();
    // Work of a term that is over may still be ending: then the next round begins anew.
    this.#term ??= this.#begin();
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (performance.now() < this.#heldUntilMs) this.#watch();
      else this.#lost();
    }, this.#heldUntilMs - performance.now());
  }

  #lost(): void {
    clearTimeout(this.#timer);
    this.#term?.over.abort();
  }

  #begin(): Term {
    const { work, onElected, onError } = this.#options;
    onElected?.();
    const over = new AbortController();
    const term: Term = {
      over,
      done: work(over.signal).then(undefined, (error: unknown) => onError?.(error)),
    };
    void term.done.then(() => {
      if (this.#term === term) this.#term = undefined;
    });
    return term;
  }
}
