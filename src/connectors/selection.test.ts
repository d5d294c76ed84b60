import { describe, expect, it } from 'vitest';
import type { ConnectorConfig } from './bank-connector.ts';
import { alwaysClosed } from './breaker.ts';
import { connectorKinds, parseConnectorsConfig } from './index.ts';
import { selectConnectors, type Wanted } from './selection.ts';

/** Proves which connectors a payment may go to, in which order, and that "never" and "not now" are told apart. */
const profile = {
  id: 'eco',
  bank_name: 'Eco',
  supported_rails: ['momo', 'sepa'],
  rails: { sepa: { amountMax: '900' } },
};

function connectors(...all: readonly object[]): readonly ConnectorConfig[] {
  const filled = all.map((more, index) => ({ id: `c${index}`, type: 'local', profile: 'eco', ...more }));
  const other = { id: 'other', bank_name: 'Other', supported_rails: [] };
  return parseConnectorsConfig({ profiles: [profile, other], connectors: filled }, connectorKinds()).connectors;
}

const wanted: Wanted = { profile: 'eco', operation: 'disburse', rail: 'sepa', currency: 'XOF', amount: 500n };

function chosen(all: readonly ConnectorConfig[], more: Partial<Wanted> = {}, closed: readonly string[] = []): unknown {
  const breaker = { ...alwaysClosed, admits: (id: string) => !closed.includes(id), state: () => 'OPEN' as const };
  const selection = selectConnectors({ ...wanted, ...more }, all, profile, breaker);
  return selection.outcome === 'found' ? selection.candidates.map(({ id }) => id) : selection;
}

describe('the connectors for a payment', () => {
  it('are those of its profile, by priority and then as they are in the file', () => {
    const all = connectors({ priority: 5 }, { priority: 1 }, { priority: 5 }, { profile: 'other', priority: 0 });
    expect(chosen(all)).toEqual(['c1', 'c0', 'c2']);
  });

  it('are none at all where waiting does not help, and why', () => {
    const all = connectors(
      { capabilities: { disburses: false } },
      { rails: ['momo'] },
      { currencies: ['GHS'] },
      { limits: { amountMin: '501' } },
      { limits: { amountMax: '499' } },
      {},
    );
    expect(chosen(all, { except: new Set(['c5']) })).toEqual({
      outcome: 'none_fits',
      misfits: [
        { connectorId: 'c0', because: 'Operation' },
        { connectorId: 'c1', because: 'Rail' },
        { connectorId: 'c2', because: 'Currency' },
        { connectorId: 'c3', because: 'AmountTooSmall' },
        { connectorId: 'c4', because: 'AmountTooLarge' },
        { connectorId: 'c5', because: 'Excepted' },
      ],
    });
  });

  it('are bound by what the profile says of its rails', () => {
    const all = connectors({});
    expect(chosen(all, { amount: 900n })).toEqual(['c0']);
    expect(chosen(all, { amount: 901n })).toMatchObject({ misfits: [{ because: 'AmountTooLarge' }] });
    expect(chosen(all, { amount: 901n, rail: 'momo' })).toEqual(['c0']);
    expect(chosen(all, { rail: 'card' })).toMatchObject({ misfits: [{ because: 'Rail' }] });
    expect(chosen(all, { operation: 'collect' })).toEqual(['c0']);
  });

  it('are none now where the breakers of all that fit are open', () => {
    const all = connectors({}, {}, { currencies: ['GHS'] });
    expect(chosen(all, {}, ['c0'])).toEqual(['c1']);
    expect(chosen(all, {}, ['c0', 'c1'])).toEqual({
      outcome: 'none_now',
      fitting: [
        { connectorId: 'c0', breaker: 'OPEN' },
        { connectorId: 'c1', breaker: 'OPEN' },
      ],
    });
  });
});
