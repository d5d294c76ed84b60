import type { Suite } from '../harness/suite.ts';

/** What Node alone has to do for a payment: the processor's time beside the figure is what it is for. */
export const runtime: Suite = {
  name: 'runtime',
  title: 'the runtime on a log that only takes its time',
  cases: [{ name: 'runtime.accepted', database: 'empty', load: () => import('./accepted.ts') }],
  targets: [],
  peers: false,
};
