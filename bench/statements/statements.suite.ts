import type { Suite } from '../harness/suite.ts';

/** Reading what banks and providers say: 120,000 lines of each format. */
export const statements: Suite = {
  name: 'statements',
  title: 'statements of 120,000 lines read, beside the packages that read them',
  cases: [
    { name: 'statements.mt940', database: 'empty', load: () => import('./mt940.ts') },
    { name: 'peer.mt940js', database: 'empty', load: () => import('./mt940js.ts') },
    { name: 'statements.camt053', database: 'empty', load: () => import('./camt.ts') },
    { name: 'peer.camtParser', database: 'empty', load: () => import('./camt-parser.ts') },
    { name: 'peer.fastXmlParser', database: 'empty', load: () => import('./fast-xml-parser.ts') },
    { name: 'statements.csv', database: 'empty', load: () => import('./csv.ts') },
    { name: 'peer.csvParse', database: 'empty', load: () => import('./csv-parse.ts') },
    {
      name: 'statements.memory',
      database: 'empty',
      spareMs: 600_000,
      nodeOptions: ['--expose-gc'],
      load: () => import('./memory.ts'),
    },
  ],
  targets: [
    { of: 'statements.mt940', to: 'peer.mt940js', floor: 1, aim: 3 },
    { of: 'statements.camt053', to: 'peer.camtParser', floor: 1, aim: 3 },
    { of: 'statements.camt053', to: 'peer.fastXmlParser', floor: 1, aim: 3 },
    { of: 'statements.csv', to: 'peer.csvParse', floor: 1, aim: 2 },
    { of: 'statements.memory.mt940.1e6', to: 'statements.memory.mt940', floor: 1.2, best: 'lowest' },
    { of: 'statements.memory.camt053.1e6', to: 'statements.memory.camt053', floor: 1.2, best: 'lowest' },
    { of: 'statements.memory.csv.1e6', to: 'statements.memory.csv', floor: 1.2, best: 'lowest' },
  ],
  peers: true,
};
