import { Counter, type LabelValues, type Registry } from 'prom-client';
import { Series } from './series.ts';

/** A number that only grows. Adding to it is all that the hot path does: `count.value += 1`. */
export interface Count {
  value: number;
}

export interface MetricSpec<Label extends string> {
  /** With its unit, and `_total` where it counts: `kora_commands_total`. */
  readonly name: string;
  readonly help: string;
  /** Few values each, and nothing of a person, a payment or an account. */
  readonly labels: readonly Label[];
}

/** Numbers by label values, read when the metrics are. */
export class Counts<Label extends string> {
  readonly #series: Series<Count>;

  constructor(registry: Registry, { name, help, labels }: MetricSpec<Label>) {
    const series = new Series<Count>(labels, () => ({ value: 0 }));
    this.#series = series;
    new Counter({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels: values, child } of series) this.inc(values as LabelValues<Label>, child.value);
      },
    });
  }

  /** In the order of the labels. Who counts often keeps it. */
  of(...values: readonly string[]): Count {
    return this.#series.of(values);
  }
}
