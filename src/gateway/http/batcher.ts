import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Gathers what is asked while an answer is on its way, and asks it at once: at a thousand requests a second the database
 * sees a hundred statements. One is in flight at a time, so nothing waits when there is little to do, unless it may.
 */
export class Batcher<Question, Answer> {
  readonly #ask: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  readonly #batchMax: number;
  readonly #lingerMs: number;
  #waiting: { question: Question; resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];
  #asking: Promise<void> | undefined;

  /**
   * @param ask gives the answers in the order of the questions
   * @param options.batchMax questions at once. Default 500
   * @param options.lingerMs how long questions wait for others to come along. Default 0: those of this turn
   */
  constructor(
    ask: (questions: readonly Question[]) => Promise<readonly Answer[]>,
    { batchMax = 500, lingerMs = 0 }: { readonly batchMax?: number; readonly lingerMs?: number } = {},
  ) {
    this.#ask = ask;
    this.#batchMax = batchMax;
    this.#lingerMs = lingerMs;
  }

  /** Rejects with what `ask` threw for the batch that the question was in. */
  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      this.#asking ??= this.#run();
    });
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#asking !== undefined) await this.#asking;
  }

  async #run(): Promise<void> {
    // Whatever is asked in this turn goes along.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      if (this.#lingerMs > 0) await sleep(this.#lingerMs);
      const batch = this.#waiting.splice(0, this.#batchMax);
      try {
        const answers = await this.#ask(batch.map(({ question }) => question));
        if (answers.length !== batch.length) throw new Error(`${answers.length} answers to ${batch.length} questions`);
        batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
      } catch (error) {
        const fault = error instanceof Error ? error : new Error(String(error));
        for (const { reject } of batch) reject(fault);
      }
    }
    this.#asking = undefined;
  }
}
