import { describe, expect, it } from 'vitest';
import { connectorKinds, parseConnectorsConfig } from './connectors/index.ts';
import { ProviderTerms } from './provider-terms.ts';

/** Proves what one transaction may be: what one of the connectors that pay takes. */
function limitsWith(...connectors: readonly object[]): ReturnType<ProviderTerms['railLimits']> {
  const document = {
    profiles: [{ id: 'bank:AB', bank_name: 'A bank', supported_rails: [] }],
    connectors: connectors.map((one, index) => ({ id: `c${index}`, profile: 'bank:AB', ...one })),
  };
  const terms = new ProviderTerms();
  terms.take(parseConnectorsConfig(document, connectorKinds()), new Map());
  return terms.railLimits('bank:AB', undefined, 'XOF');
}

describe('the limits of one transaction', () => {
  const pays = { type: 'local', limits: { amountMax: '500' } };

  it('are the greatest that one takes, and none where one has no bound', () => {
    expect(limitsWith(pays, { ...pays, limits: { amountMax: '900' } })).toMatchObject({ max: 900n });
    expect(limitsWith(pays, { type: 'local' })).toBeUndefined();
  });

  it('are not lifted by one that only takes statements in', () => {
    expect(limitsWith(pays, { type: 'mt940' })).toMatchObject({ max: 500n });
  });
});
