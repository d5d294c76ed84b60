import type { Case } from '../harness/case.ts';
import type { Suite, Target } from '../harness/suite.ts';

/** Events in the log, and how a figure's name says it. */
const sizes = { '1e4': 10_000, '1e5': 100_000, '1e6': 1_000_000, '5e6': 5_000_000 } as const;
type Size = keyof typeof sizes;

const grown = Object.entries(sizes).map(([size, events]): Case => ({
  name: `growth.${size}`,
  database: 'product',
  // Filling it is most of the work: a second takes 5,000 events even on a machine that others use too.
  spareMs: 120_000 + events / 5,
  load: async () => {
    const { measureGrown } = await import('./grown.ts');
    return { run: (context) => measureGrown(context, `growth.${size}`, events) };
  },
}));

/** Flat within 20 %. */
const flat = (size: Size): Target[] => [
  { of: `growth.${size}`, to: 'growth.1e4', floor: 0.8 },
  { of: `growth.${size}.start`, to: 'growth.1e4.start', floor: 1.2, best: 'lowest' },
  { of: `growth.${size}.start.processor`, to: 'growth.1e4.start.processor', floor: 1.2, best: 'lowest' },
];

/** The log grows old: what is the same with ten thousand events and with five million. */
export const growth: Suite = {
  name: 'growth',
  title: 'a log of 10^4 to 5·10^6 events, and a million open payments',
  cases: [
    ...grown,
    {
      name: 'growth.open',
      database: 'product',
      spareMs: 1_200_000,
      // What is needed is measured, not what Node keeps as long as the machine has room.
      nodeOptions: ['--max-old-space-size=300'],
      load: () => import('./open-payments.ts'),
    },
  ],
  targets: [
    ...flat('1e5'),
    ...flat('1e6'),
    ...flat('5e6'),
    { of: 'growth.1e6.start', floor: 2_000, aim: 1_000, best: 'lowest' },
    { of: 'growth.open.1e6', to: 'growth.open.2e5', floor: 1.2, best: 'lowest' },
  ],
  peers: false,
  rounds: 1,
};
