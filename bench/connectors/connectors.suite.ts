import type { Suite } from '../harness/suite.ts';

/** What is in doubt at the end is found out by asking, which takes its time. */
const spareMs = 300_000;

/** Payments through a slow provider that fails. docs/benchmarks.md says what is measured. */
export const connectors: Suite = {
  name: 'connectors',
  title: 'payments through a provider at 200 ms to 2 s with 2 % errors, and an outage of another one',
  cases: [
    { name: 'connectors.cashOut', database: 'product', spareMs, load: () => import('./cash-out-case.ts') },
    { name: 'peer.naiveLoop', database: 'empty', spareMs, load: () => import('../peers/naive-loop.ts') },
    { name: 'connectors.slices', database: 'product', spareMs, load: () => import('./payout-case.ts') },
    { name: 'connectors.breaker', database: 'product', spareMs, load: () => import('./breaker-case.ts') },
  ],
  targets: [
    { of: 'connectors.cashOut.p95', to: 'peer.naiveLoop.p95', best: 'lowest' },
    { of: 'connectors.cashOut.memory.peak', to: 'peer.naiveLoop.memory.peak', best: 'lowest' },
    { of: 'connectors.breaker.during.p95', to: 'connectors.breaker.before.p95', floor: 1.2, best: 'lowest' },
  ],
  peers: false,
};
