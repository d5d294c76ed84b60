import { expect, test } from 'vitest';
import { P2pSource, walletsCount } from './p2p.ts';
import { Seeded } from './seeded.ts';

test('every run makes the same payments: nobody is measured with luckier ones', () => {
  const [one, other] = [new P2pSource(), new P2pSource()];
  for (let count = 0; count < 100; count++) expect(one.next()).toEqual(other.next());
});

test('payments are between two different wallets, spread over all, each with a key of its own', () => {
  const source = new P2pSource();
  const payments = Array.from({ length: 50_000 }, () => source.next());
  expect(payments.every(({ payer, payee }) => payer !== payee)).toBe(true);
  expect(new Set(payments.flatMap(({ payer, payee }) => [payer, payee])).size).toBe(walletsCount);
  expect(new Set(payments.map(({ key }) => key)).size).toBe(payments.length);
});

test('a hot source debits one wallet only', () => {
  const source = new P2pSource({ hot: true });
  expect(new Set(Array.from({ length: 1_000 }, () => source.next().payer))).toEqual(new Set([0]));
});

test('arrivals by chance come as often as they should', () => {
  const random = new Seeded(1);
  let sumMs = 0;
  for (let count = 0; count < 100_000; count++) sumMs += random.gapMs(1_000);
  expect(sumMs / 100_000).toBeCloseTo(1, 1);
});
