import type { Effect } from '../matching/store.ts';

/**
 * Effects that have to be carried out one after the other, because they share a line or a payment, each chain in its order.
 * Chains have nothing to do with one another.
 */
export function chainsOf<Found extends Pick<Effect, 'lineIds' | 'expectationIds'>>(
  effects: readonly Found[],
): readonly (readonly Found[])[] {
  const chainOf = new Map<string, Found[]>();
  for (const effect of effects) {
    const names = [
      ...effect.lineIds.map((id) => `line ${id}`),
      ...effect.expectationIds.map((id) => `expectation ${id}`),
    ];
    const joined = new Set(names.map((name) => chainOf.get(name)).filter((chain) => chain !== undefined));
    const [first = [], ...others] = joined;
    for (const other of others) first.push(...other);
    first.push(effect);
    for (const name of names) chainOf.set(name, first);
    // Whatever the others held is the first one's now.
    if (others.length > 0) for (const [name, chain] of chainOf) if (joined.has(chain)) chainOf.set(name, first);
  }
  const place = new Map(effects.map((effect, at) => [effect, at]));
  const byPlace = (a: Found, b: Found): number => (place.get(a) ?? 0) - (place.get(b) ?? 0);
  return [...new Set(chainOf.values())].map((chain) => chain.sort(byPlace));
}
