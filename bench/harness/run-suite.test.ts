import { expect, test } from 'vitest';
import type { Measured } from './case.ts';
import { reportOf } from './report.ts';
import { resultsOf } from './run-suite.ts';

const measured = (name: string, value: number): Measured => ({
  figures: [{ name, value, unit: 'payments/s' }],
  notes: { nodeUs: value / 10 },
});

test('a figure is the median of its rounds, and a ratio is one median by another', () => {
  const cases = [
    [measured('ours', 200), measured('ours', 1_000), measured('ours', 220)],
    [measured('theirs', 100), measured('theirs', 90), measured('theirs', 110)],
  ];
  const results = resultsOf(cases, [{ of: 'ours', to: 'theirs', floor: 1.3, aim: 2.5 }]);
  expect(results).toMatchObject([
    { name: 'ours', value: 220, ratioTo: { theirs: 2.2 }, rounds: [200, 1_000, 220], notes: { nodeUs: 22 } },
    { name: 'theirs', value: 100, ratioTo: {} },
  ]);
});

test('a ratio to what was not measured is left out', () => {
  const [result] = resultsOf([[measured('ours', 1)]], [{ of: 'ours', to: 'theirs', floor: 1, aim: 2 }]);
  expect(result?.ratioTo).toEqual({});
});

test('the report says which floors and aims are met, and when others disturbed it', () => {
  const results = resultsOf(
    [
      [measured('a', 100)],
      [measured('b', 50)],
      [measured('c', 20)],
      [{ ...measured('d', 9), notes: { elsewhere: 1 } }],
    ],
    [
      { of: 'a', to: 'b', floor: 1, aim: 2 },
      { of: 'b', to: 'a', floor: 0.4, aim: 0.9 },
      { of: 'c', floor: 30, aim: 40 },
    ],
  );
  const report = reportOf(
    {
      name: 'some',
      title: 'a suite',
      cases: [],
      targets: [
        { of: 'a', to: 'b', floor: 1, aim: 2 },
        { of: 'b', to: 'a', floor: 0.4, aim: 0.9 },
        { of: 'c', floor: 30, aim: 40 },
      ],
      peers: false,
    },
    { results, failures: [{ caseName: 'e', error: new Error('broken') }] },
    {
      cores: 2,
      model: 'some cpu',
      memoryGiB: 4,
      platform: 'linux x64',
      node: '22.0.0',
      postgres: '18.0',
      settings: { fsync: 'on', synchronous_commit: 'on' },
      fsyncMs: 0.5,
      load: 0,
      commit: 'abc',
    },
  );
  expect(report).toMatch(/a \/ b +2\.00 +1 +2 +aim met/);
  expect(report).toMatch(/b \/ a +0\.50 +0\.4 +0\.9 +floor met, aim missed/);
  expect(report).toMatch(/c +20\.0 +30 +40 +FLOOR MISSED/);
  expect(report).toContain('FAILED e: broken');
  expect(report).toContain('do not quote');
});
