import type { Metric, Registry } from 'prom-client';
import type { MetricSpec } from './counts.ts';
import { Series } from './series.ts';

export interface SpreadSpec<Label extends string> extends MetricSpec<Label> {
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[];
}

/** How long things take here: from half a millisecond to what callers no longer wait for. Seconds. */
export const secondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What was observed under one set of label values. */
export class Observed {
  readonly #bounds: readonly number[];
  readonly buckets: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.buckets = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { length } = this.#bounds;
    let index = 0;
    while (index < length && value > (this.#bounds[index] as number)) index += 1;
    this.buckets[index] = (this.buckets[index] as number) + 1;
    this.sum += value;
  }
}

/**
 * A histogram of plain numbers. prom-client's own looks its labels up and hashes them at each observation, which a command
 * in a hundred microseconds would feel; this one is a loop over fifteen bounds, and is given the client's form when it is
 * read.
 */
export class Spread<Label extends string> {
  readonly #series: Series<Observed>;

  constructor(registry: Registry, { name, help, labels, bounds }: SpreadSpec<Label>) {
    this.#series = new Series(labels, () => new Observed(bounds));
    const metric = {
      name,
      help,
      type: 'histogram',
      get: () => ({ name, help, type: 'histogram', values: this.#values(name, bounds) }),
    };
    // The registry asks a metric for its name and for `get()`, and nothing else; its type says more.
    registry.registerMetric(metric as unknown as Metric);
  }

  /** In the order of the labels. Who observes often keeps it. */
  of(...values: readonly string[]): Observed {
    return this.#series.of(values);
  }

  #values(name: string, bounds: readonly number[]): object[] {
    const values: object[] = [];
    for (const { labels, child } of this.#series) {
      let count = 0;
      child.buckets.forEach((inBucket, index) => {
        count += inBucket;
        const le = bounds[index] ?? '+Inf';
        values.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: count });
      });
      values.push({ metricName: `${name}_sum`, labels, value: child.sum });
      values.push({ metricName: `${name}_count`, labels, value: count });
    }
    return values;
  }
}
