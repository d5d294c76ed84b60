interface Waiting<Item> {
  readonly item: Item;
  readonly written: () => void;
  readonly failed: (error: unknown) => void;
}

/** Writes in one go what comes while the last one is written. */
export class Together<Item> {
  readonly #write: (items: readonly Item[]) => Promise<void>;
  #waiting: Waiting<Item>[] = [];
  #isWriting = false;

  /** @param write all of them, or throws and none */
  constructor(write: (items: readonly Item[]) => Promise<void>) {
    this.#write = write;
  }

  /** Resolves when it is written. */
  add(item: Item): Promise<void> {
    return new Promise((written, failed) => {
      this.#waiting.push({ item, written, failed });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const taken = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(taken.map(({ item }) => item));
        for (const { written } of taken) written();
      } catch (error) {
        for (const { failed } of taken) failed(error);
      }
    }
    this.#isWriting = false;
  }
}
