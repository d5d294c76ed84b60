/**
 * Counts what is in use under several keys at a time (in all, by principal, by address), so that none has more than its
 * share. What is taken is taken under all of them or under none.
 */
export class Quotas<Name extends string> {
  readonly #max: Readonly<Record<Name, number>>;
  readonly #names: readonly Name[];
  readonly #used: ReadonlyMap<Name, Map<string, number>>;

  /** @param max by what is counted: how much one key may have */
  constructor(max: Readonly<Record<Name, number>>) {
    this.#max = max;
    this.#names = Object.keys(max) as Name[];
    this.#used = new Map(this.#names.map((name) => [name, new Map<string, number>()]));
  }

  /** Takes one of each. Returns what is used up, in the order of the constructor; then nothing was taken. */
  take(keys: Readonly<Record<Name, string>>): Name | undefined {
    const full = this.#names.find((name) => this.used(name, keys[name]) >= this.#max[name]);
    if (full !== undefined) return full;
    for (const name of this.#names) this.#used.get(name)?.set(keys[name], this.used(name, keys[name]) + 1);
    return undefined;
  }

  /** Gives back one of each that was taken. */
  give(keys: Readonly<Record<Name, string>>): void {
    for (const name of this.#names) {
      const left = this.used(name, keys[name]) - 1;
      if (left > 0) this.#used.get(name)?.set(keys[name], left);
      // Nothing is kept of who is not there any more.
      else this.#used.get(name)?.delete(keys[name]);
    }
  }

  used(name: Name, key: string): number {
    return this.#used.get(name)?.get(key) ?? 0;
  }
}
