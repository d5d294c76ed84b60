/** Whose work it is: what a dead owner had planned does not happen. */
export interface Owner {
  readonly alive: boolean;
}

interface Planned {
  readonly at: number;
  readonly order: number;
  readonly owner: Owner | undefined;
  readonly work: () => void;
  off: boolean;
}

/** Milliseconds since 1970 at which every simulated world begins. */
const beginning = Date.UTC(2026, 0, 5, 8);

/**
 * The one clock and the one scheduler of a simulated world. Everything that waits, waits here: work is done in the order
 * of its time, and of its planning where the time is the same. Between two works all promises that can go on have gone on,
 * so whatever is at an `await` then waits for the world, and a process that dies between two works dies at that `await`.
 */
export class Simulator {
  #now = beginning;
  #order = 0;
  /** A binary heap, the next work first. */
  readonly #heap: Planned[] = [];

  /** True time: milliseconds since 1970. The clocks of processes may be wrong. */
  get now(): number {
    return this.#now;
  }

  /** Milliseconds since the world began. */
  get elapsedMs(): number {
    return this.#now - beginning;
  }

  /** Plans work. Returns what calls it off. */
  after(delayMs: number, work: () => void, owner?: Owner): () => void {
    const planned: Planned = { at: this.#now + Math.max(0, delayMs), order: this.#order++, owner, work, off: false };
    this.#push(planned);
    return () => (planned.off = true);
  }

  /** Never resolves when its owner dies meanwhile. */
  sleep(delayMs: number, owner?: Owner): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve, owner));
  }

  /**
   * Does the work that is planned until nothing is left, or `done` says so after a work.
   *
   * @returns whether `done` said so
   */
  async run(done: () => boolean): Promise<boolean> {
    for (let next = this.#pop(); next !== undefined; next = this.#pop()) {
      if (next.off || next.owner?.alive === false) continue;
      this.#now = next.at;
      next.work();
      // All promises that can go on do so before this: it is the only real turn there is.
      await new Promise((resolve) => setImmediate(resolve));
      if (done()) return true;
    }
    return false;
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let index = heap.push(planned) - 1;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (!isBefore(planned, heap[parent] as Planned)) break;
      heap[index] = heap[parent] as Planned;
      index = parent;
    }
    heap[index] = planned;
  }

  #pop(): Planned | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Planned, heap[child] as Planned)) child += 1;
      if (!isBefore(heap[child] as Planned, last)) break;
      heap[index] = heap[child] as Planned;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(one: Planned, other: Planned): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
