/** A broken invariant: a programmer's error or a corrupted log. Never answered as a refusal, never swallowed. */
export class InvariantError extends Error {
  readonly code = 'InvariantBroken';
  override readonly name = 'InvariantError';
}

/** Throws `InvariantError` unless the condition holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
