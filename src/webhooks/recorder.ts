import { setTimeout as sleep } from 'node:timers/promises';
import type { LaneResult } from './postgres/lanes.ts';

const RETRY_MS = 200;
/** Later the lease of what is recorded is over anyway, and it is delivered again. */
const TRIES_MAX = 25;
const BATCH_MAX = 500;

/** Writes results in batches: those that come while a batch is written make the next one. */
export class Recorder {
  readonly #write: (results: readonly LaneResult[]) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #waiting: { readonly result: LaneResult; readonly done: () => void }[] = [];
  #writing: Promise<void> | undefined;

  constructor(write: (results: readonly LaneResult[]) => Promise<void>, onError: (error: unknown) => void) {
    this.#write = write;
    this.#onError = onError;
  }

  /** Resolves when it is recorded, or given up: then it is delivered once more. */
  record(result: LaneResult): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ result, done: resolve });
      this.#writing ??= this.#run();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      await this.#writeOnce(batch.map(({ result }) => result));
      for (const { done } of batch) done();
    }
    this.#writing = undefined;
  }

  async #writeOnce(results: readonly LaneResult[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#write(results);
        return;
      } catch (error) {
        this.#onError(error);
        if (tries === TRIES_MAX) return;
        await sleep(RETRY_MS);
      }
    }
  }
}
