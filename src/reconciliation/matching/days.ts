import { invariant } from '../../kernel/invariant.ts';

/** Days since 1970-01-01. */
export type Day = number;

const dayMs = 86_400_000;

export function dayOf(date: string): Day {
  const day = Date.parse(`${date}T00:00:00Z`) / dayMs;
  invariant(Number.isInteger(day), `not a day: ${date}`);
  return day;
}

export function dateOf(day: Day): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
