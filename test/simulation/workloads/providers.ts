import type { ConnectorPlan, ProvidersPlan } from '../world/provider-plan.ts';
import type { Random } from '../world/random.ts';

/** Two providers: one by two connectors, each with books of its own, and one by one. Where one cannot, another may. */
export const served = ['momo', 'bank:CD'] as const;

export function planOf(random: Random): ProvidersPlan {
  const bounds = { momo: { min: random.pick([1n, 5n]), max: random.pick([40n, 100n, 1_000n]) } };
  return {
    connectors: [
      connectorOf(random, 'momo-a', 'momo'),
      connectorOf(random, 'momo-b', 'momo'),
      connectorOf(random, 'bank-cd', 'bank:CD'),
    ],
    routes: { momo: ['momo-a', 'momo-b', 'bank-cd'], 'bank:CD': ['bank-cd', 'momo-b'] },
    bounds,
    election: random.pick(['everyone', 'partitions']),
    pollMs: random.pick([200, 500]),
    askFirstMs: random.pick([100, 400]),
    askMaxMs: random.pick([1_000, 5_000]),
    giveUpMs: random.pick([2_000, 20_000]),
    inFlightMax: random.pick([1, 4, 512]),
  };
}

function connectorOf(random: Random, id: string, provider: string): ConnectorPlan {
  return {
    id,
    provider,
    terms: {
      sendWithinMs: random.pick([60, 400, 3_000]),
      requestTimeoutMs: random.pick([100, 600]),
      clockSkewMs: random.pick([50, 300]),
      notFoundFinalAfterMs: random.pick([200, 2_000]),
      honoursKeys: random.chance(0.7),
      findsByKey: random.chance(0.8),
    },
    breaker: {
      failuresMax: random.pick([2, 4]),
      openMs: random.pick([500, 3_000, 20_000]),
      successesMin: random.pick([1, 2]),
    },
    callsBack: random.chance(0.8),
    doesAfterMs: random.pick([50, 600, 3_000]),
    settlesAfterMs: random.pick([200, 3_000]),
  };
}
