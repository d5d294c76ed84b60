import { eventTypes } from './events/catalog.ts';

/**
 * How an endpoint chooses what it is told: a type (`payment.captured`), all of a kind (`payment.*`), or everything (`*`).
 * The last two take in types that are added later.
 */
export function chooses(choice: readonly string[], type: string): boolean {
  return choice.some((one) => one === '*' || one === type || (one.endsWith('.*') && type.startsWith(one.slice(0, -1))));
}

/** Whether the choice means anything today: a mistyped one would wait for ever. */
export function isChoice(one: string): boolean {
  return eventTypes.some((type) => chooses([one], type));
}

/** The kinds that it reaches into: `payment`, `account`. */
export function kindsOf(choice: readonly string[]): readonly string[] {
  const chosen = eventTypes.filter((type) => chooses(choice, type));
  return [...new Set(chosen.map((type) => type.slice(0, type.indexOf('.'))))];
}
