import type { Suite } from '../harness/suite.ts';

/** What a client waits for while something is broken. docs/benchmarks.md says what is measured. */
export const faults: Suite = {
  name: 'faults',
  title: 'fail-over: two processes on one PostgreSQL, and what their clients wait for when something breaks',
  cases: [
    { name: 'faults.kill', database: 'product', load: () => import('./kill-case.ts') },
    { name: 'faults.stop', database: 'product', load: () => import('./stop-case.ts') },
    { name: 'faults.postgres', database: 'product', load: () => import('./postgres-case.ts') },
  ],
  // Fails over within 5 s (issue of the proof); what the rest should be is for the figures of a quiet machine to say.
  targets: [
    { of: 'faults.kill.recovery', floor: 5_000, best: 'lowest' },
    { of: 'faults.stop.recovery', floor: 5_000, best: 'lowest' },
    { of: 'faults.postgres.recovery', best: 'lowest' },
  ],
  peers: false,
};
