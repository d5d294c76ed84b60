import { StatementUnreadableError } from './statement-reader.ts';

/**
 * What was read before a fault is handed over first, and the fault is thrown at the next call: so the parts are the same
 * however the file was cut into chunks. After the fault every call throws it again.
 */
export class PartDelivery<Part> {
  #parts: Part[] = [];
  #fault: StatementUnreadableError | undefined;
  #ended = false;

  add(part: Part): void {
    this.#parts.push(part);
  }

  push(work: () => void): Part[] {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#ended) throw new TypeError('nothing can be pushed after end()');
    this.#attempt(work);
    return this.#taken();
  }

  /** Nobody calls again after this, so here the fault comes at once. */
  end(work: () => void): Part[] {
    if (this.#fault === undefined && !this.#ended) this.#attempt(work);
    this.#ended = true;
    if (this.#fault !== undefined) throw this.#fault;
    return this.#taken();
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof StatementUnreadableError)) throw error;
      this.#fault = error;
    }
  }

  #taken(): Part[] {
    const parts = this.#parts;
    if (this.#fault !== undefined && parts.length === 0) throw this.#fault;
    this.#parts = [];
    return parts;
  }
}
