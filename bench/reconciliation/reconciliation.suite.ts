import type { Suite } from '../harness/suite.ts';

/** How fast lines of statements are matched with payments. docs/benchmarks.md says what is measured. */
export const reconciliation: Suite = {
  name: 'reconciliation',
  title: '120,000 lines of statements matched with payments, 2 % faults planted; 1,200,000 for memory',
  cases: [
    { name: 'reconciliation.lines', database: 'product', spareMs: 300_000, load: () => import('./match-case.ts') },
    { name: 'reconciliation.without', database: 'product', load: () => import('./without-case.ts') },
    { name: 'reconciliation.with', database: 'product', load: () => import('./with-case.ts') },
    { name: 'reconciliation.memory', database: 'product', spareMs: 1_800_000, load: () => import('./growth-case.ts') },
  ],
  targets: [
    // 120,000 in 20 s, and in 5 s.
    { of: 'reconciliation.lines', floor: 6_000, aim: 24_000 },
    { of: 'reconciliation.with.p95', to: 'reconciliation.without.p95', best: 'lowest' },
    { of: 'reconciliation.memory', to: 'reconciliation.memory.early', floor: 1.3, aim: 1.1, best: 'lowest' },
  ],
  peers: false,
  rounds: 1,
};
