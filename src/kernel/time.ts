import { invariant } from './invariant.ts';

/**
 * Instants are ISO 8601 in UTC, as text. They are compared as instants, not as texts: "…:00Z" and "…:00.000Z" are the
 * same instant, and as texts the one with fewer decimals would come later.
 */
export function hasCome(instant: string, at: string): boolean {
  const [instantMs, atMs] = [Date.parse(instant), Date.parse(at)];
  invariant(!Number.isNaN(instantMs) && !Number.isNaN(atMs), `not an instant: ${instant} or ${at}`);
  return atMs >= instantMs;
}
