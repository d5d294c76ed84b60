import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';
import type { MetricSpec } from './counts.ts';

export interface Reading<Label extends string> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly value: number;
}

/** A gauge that is read when the metrics are, from what is at hand. */
export function gaugeOf<Label extends string>(
  registry: Registry,
  { name, help, labels }: MetricSpec<Label>,
  read: () => Iterable<Reading<Label>>,
): void {
  new Gauge({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset();
      for (const reading of read()) this.set(reading.labels, reading.value);
    },
  });
}

export interface AskedOptions {
  /** How long those who scrape wait for the answer. Default 2 s. */
  readonly patienceMs?: number;
  /** Told when there was none. */
  readonly onSilence: (error: unknown) => void;
}

/**
 * Something that is asked for figures when metrics are read: a database. It is asked once for all gauges of it and not
 * again while it has not answered. Where it does not answer in time its gauges are left out: the others are wanted most
 * when the database is away.
 */
export class Asked<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #patienceMs: number;
  readonly #onSilence: (error: unknown) => void;
  #asking: Promise<Answer | undefined> | undefined;

  constructor(ask: () => Promise<Answer>, { patienceMs = 2_000, onSilence }: AskedOptions) {
    this.#ask = ask;
    this.#patienceMs = patienceMs;
    this.#onSilence = onSilence;
  }

  gauge<Label extends string>(
    registry: Registry,
    { name, help, labels }: MetricSpec<Label>,
    read: (answer: Answer) => Iterable<Reading<Label>>,
  ): void {
    const answer = (): Promise<Answer | undefined> => this.#answer();
    new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      async collect() {
        const found = await answer();
        this.reset();
        if (found !== undefined) for (const reading of read(found)) this.set(reading.labels, reading.value);
      },
    });
  }

  async #answer(): Promise<Answer | undefined> {
    this.#asking ??= this.#ask()
      .catch((error: unknown) => {
        this.#onSilence(error);
        return undefined;
      })
      .finally(() => (this.#asking = undefined));
    const enough = new AbortController();
    const tooLate = sleep(this.#patienceMs, undefined, { signal: enough.signal, ref: false }).catch(() => undefined);
    try {
      return await Promise.race([this.#asking, tooLate]);
    } finally {
      enough.abort();
    }
  }
}
