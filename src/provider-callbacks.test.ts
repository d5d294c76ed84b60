import { describe, expect, it } from 'vitest';
import { statusSink } from './provider-callbacks.ts';

/** Proves whom a bank's status reaches: the payment that it names, or the slices of a payout that it does not list. */
const id = (letter: string): string => letter.repeat(27);
const slices = [id('a'), id('b'), id('c')];

function ground() {
  const told: string[] = [];
  const sink = statusSink({
    connectorsOf: (profile) => (profile === 'bank:AB' ? ['first', 'second'] : []),
    slicesOf: (payoutId) => Promise.resolve(payoutId === id('P') ? slices : undefined),
    told: (paymentId, connectorId, outcome) => {
      const known = connectorId === 'second' && [...slices, id('s')].includes(paymentId);
      if (known) told.push(`${paymentId[0] ?? ''} ${outcome.said}`);
      return Promise.resolve(known);
    },
  });
  return { told, sink };
}
const confirmed = { status: 'confirmed', providerRef: 'X' } as const;

describe('a status of a bank', () => {
  it('of a payout reaches every slice that is not listed', async () => {
    const { told, sink } = ground();
    const reported = { references: [id('P')], status: confirmed, exceptFor: new Set([id('b')]) };
    expect(await sink('bank:AB', reported)).toBe(true);
    expect(told.map((one) => one[0])).toEqual(['a', 'c']);
  });

  it('of a payment information that is one payment reaches it', async () => {
    const { told, sink } = ground();
    expect(await sink('bank:AB', { references: [id('s')], status: confirmed, exceptFor: new Set() })).toBe(true);
    expect(told).toHaveLength(1);
  });

  it('is known where all of the payout is listed', async () => {
    const { told, sink } = ground();
    expect(await sink('bank:AB', { references: [id('P')], status: confirmed, exceptFor: new Set(slices) })).toBe(true);
    expect(told).toEqual([]);
  });

  it('reaches nothing of another bank, no whole payout by a name of a single one, and no name of others', async () => {
    const { told, sink } = ground();
    const whole = { references: [id('P')], status: confirmed };
    expect(await sink('bank:XY', { ...whole, exceptFor: new Set() })).toBe(false);
    expect(await sink('bank:AB', whole)).toBe(false);
    expect(await sink('bank:AB', { references: ['M-1'], status: confirmed, exceptFor: new Set() })).toBe(false);
    expect(told).toEqual([]);
  });
});
