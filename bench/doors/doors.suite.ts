import type { Suite } from '../harness/suite.ts';

/** What the doors take and give. Floors and aims: docs/benchmarks.md. */
export const doors: Suite = {
  name: 'doors',
  title: 'the doors: payments over http, events over the stream',
  cases: [
    { name: 'doors.http', database: 'product', load: () => import('./http-1000-case.ts') },
    { name: 'doors.http500', database: 'product', load: () => import('./http-500-case.ts') },
    { name: 'doors.fanout', database: 'product', load: () => import('./fan-out-case.ts') },
    { name: 'peer.socketio', database: 'empty', load: () => import('../peers/fan-out/socketio.ts') },
    { name: 'peer.ws', database: 'empty', load: () => import('../peers/fan-out/ws.ts') },
  ],
  // Of design.md's table, "Figures to reach".
  targets: [
    { of: 'doors.http.p95', floor: 50, aim: 15, best: 'lowest' },
    { of: 'doors.http500.p95', floor: 50, aim: 15, best: 'lowest' },
    { of: 'doors.fanout', to: 'peer.socketio', floor: 3, aim: 6 },
    { of: 'doors.fanout', to: 'peer.ws' },
    { of: 'doors.fanout.memory', to: 'peer.socketio.memory' },
    { of: 'doors.fanout.memory', to: 'peer.ws.memory' },
  ],
  peers: true,
};
