/** What the client says when the server is away, or was while it was asked: the same question may be asked again. */
const types: ReadonlySet<unknown> = new Set(['unavailable', 'deadline-exceeded', 'cancelled', 'not-leader']);

/** Needs nothing of the client, whose module nobody on another store should load. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Error && types.has((error as { readonly type?: unknown }).type);
}
