/** Series of one metric at most. Labels are few by design; what is above this is counted under `other`. */
const seriesMax = 1_000;

/** What is kept of one metric, by the values of its labels. */
export class Series<Child> {
  readonly #labels: readonly string[];
  readonly #make: () => Child;
  readonly #children = new Map<string, { readonly labels: Readonly<Record<string, string>>; readonly child: Child }>();

  constructor(labels: readonly string[], make: () => Child) {
    this.#labels = labels;
    this.#make = make;
  }

  /** The one of these label values, in the order of the labels. */
  of(values: readonly string[]): Child {
    const key = values.join('\n');
    const found = this.#children.get(key);
    if (found !== undefined) return found.child;
    if (this.#children.size >= seriesMax && values.some((value) => value !== 'other')) {
      return this.of(this.#labels.map(() => 'other'));
    }
    const labels = Object.fromEntries(this.#labels.map((label, index) => [label, values[index] ?? '']));
    const child = this.#make();
    this.#children.set(key, { labels, child });
    return child;
  }

  [Symbol.iterator](): IterableIterator<{ readonly labels: Readonly<Record<string, string>>; readonly child: Child }> {
    return this.#children.values();
  }
}
