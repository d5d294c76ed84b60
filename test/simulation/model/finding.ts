/** The simulation found that the product broke one of its promises. */
export class Finding extends Error {
  override readonly name = 'Finding';
  readonly code = 'Finding';
  /** Which promise: the number of the invariant in docs/simulation.md, or its name. */
  readonly promise: string;
  constructor(promise: string, message: string) {
    super(`${promise}: ${message}`);
    this.promise = promise;
  }
}

export function check(holds: boolean, promise: string, message: () => string): asserts holds {
  if (!holds) throw new Finding(promise, message());
}
