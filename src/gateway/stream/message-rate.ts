/** A token bucket: so many at once, and so many a second in the long run. */
export class MessageRate {
  readonly #perSecond: number;
  readonly #atOnce: number;
  #left: number;
  #countedAt: number;

  constructor(perSecond: number, atOnce: number, now: number) {
    this.#perSecond = perSecond;
    this.#atOnce = atOnce;
    this.#left = atOnce;
    this.#countedAt = now;
  }

  /** Whether one more may be taken now; then it was. @param now in milliseconds, on a clock that does not go back */
  take(now: number): boolean {
    this.#left = Math.min(this.#atOnce, this.#left + ((now - this.#countedAt) * this.#perSecond) / 1_000);
    this.#countedAt = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
