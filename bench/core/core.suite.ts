import type { Suite } from '../harness/suite.ts';

/** How fast the core moves money, beside peers on the same machine. Floors and aims: docs/benchmarks.md. */
export const core: Suite = {
  name: 'core',
  title: 'the core, in process and through rpc',
  cases: [
    { name: 'core.accepted', database: 'product', load: () => import('./accepted.ts') },
    { name: 'peer.sqlFunction', database: 'empty', load: () => import('../peers/sql-function/sql-function.ts') },
    { name: 'peer.rawRows', database: 'product', load: () => import('../peers/raw-rows.ts') },
    { name: 'core.latency', database: 'product', load: () => import('./latency.ts') },
    { name: 'peer.emmett', database: 'empty', load: () => import('../peers/emmett/emmett.ts') },
    { name: 'core.sustained', database: 'product', load: () => import('./sustained.ts') },
    { name: 'core.hot', database: 'product', load: () => import('./hot.ts') },
    { name: 'core.rpcBatch100', database: 'product', load: () => import('./rpc-batch.ts') },
    { name: 'core.rpcSingle', database: 'product', load: () => import('./rpc-single.ts') },
    { name: 'core.rebuild', database: 'product', load: () => import('./rebuild.ts') },
  ],
  // Of design.md's table, "Figures to reach".
  targets: [
    { of: 'core.accepted', to: 'peer.sqlFunction', floor: 1.3, aim: 2.5 },
    { of: 'core.sustained', to: 'peer.sqlFunction', floor: 0.9, aim: 2 },
    { of: 'core.accepted', to: 'peer.rawRows', floor: 0.5, aim: 0.8 },
    { of: 'core.rpcBatch100', to: 'core.accepted', floor: 0.6, aim: 0.8 },
    { of: 'core.hot', to: 'core.accepted', floor: 0.5, aim: 0.9 },
    { of: 'core.rpcSingle', to: 'core.accepted' },
    { of: 'core.accepted', to: 'peer.emmett' },
    { of: 'core.rebuild', floor: 100_000, aim: 250_000 },
  ],
  peers: true,
};
