import { describe, expect, it } from 'vitest';
import { sameSignature, signCallback, signRequest } from './signature.ts';

/** Proves that signatures are what docs/connectors.md says: a provider computes them from there. */
const request = {
  method: 'POST',
  path: '/v1/disbursements?x=1',
  timestamp: '1700000000000',
  nonce: 'abcdefghijklmnop',
  body: '{"amount":"1500"}',
};

describe('a signature', () => {
  it('of a request is the one that openssl makes', () => {
    // printf 'POST\n/v1/disbursements?x=1\n1700000000000\nabcdefghijklmnop\n%s' \
    //   "$(printf '{"amount":"1500"}' | sha256sum | cut -c1-64)" | openssl dgst -sha256 -hmac secret
    expect(signRequest('secret', request)).toBe('f9a1e1ab7f97e412a0c11c9442c1a948087adcdf1f32baf29489a7af349c9ceb');
  });

  it('of a callback is the one that openssl makes', () => {
    // printf '1700000000000\nabcdefghijklmnop\n{"amount":"1500"}' | openssl dgst -sha256 -hmac secret
    expect(signCallback('secret', request)).toBe('1770f72ccd80fb51dd9c9c86ee0d187cd723b7045022bc8e70925991750015c1');
  });

  it.each(['method', 'path', 'timestamp', 'nonce', 'body'] as const)('is another one with another %s', (part) => {
    expect(signRequest('secret', { ...request, [part]: `${request[part]}1` })).not.toBe(signRequest('secret', request));
  });

  it('is compared whole', () => {
    expect(sameSignature('abc', 'abc')).toBe(true);
    expect(sameSignature('abc', 'abd')).toBe(false);
    expect(sameSignature('abc', 'ab')).toBe(false);
    expect(sameSignature('abc', '')).toBe(false);
  });
});
