import { createHash } from 'node:crypto';

/**
 * Chance by a seed. What happens to a payment depends on its reference and on how often it came, not on what else is going
 * on: the same seed does the same to the same payments, in whatever order they arrive.
 */
export class Dice {
  readonly #seed: string;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** From 0 up to 1, for one purpose. */
  roll(reference: string, purpose: string): number {
    return this.#hash(reference, purpose).readUInt32BE(0) / 2 ** 32;
  }

  hits(rate: number, reference: string, purpose: string): boolean {
    return rate > 0 && this.roll(reference, purpose) < rate;
  }

  /** Uniform in `200-2000`, both ends included. */
  within(range: string, reference: string, purpose: string): number {
    const [least = 0, most = 0] = range.split('-').map(Number);
    return least + Math.floor(this.roll(reference, purpose) * (most - least + 1));
  }

  id(reference: string, purpose: string): string {
    return this.#hash(reference, purpose).toString('hex').slice(0, 20);
  }

  #hash(reference: string, purpose: string): Buffer {
    return createHash('sha256')
      .update(JSON.stringify([this.#seed, reference, purpose]))
      .digest();
  }
}
