import { describe, expect, it } from 'vitest';
import { addressPolicy, guardedLookup, mayCall, mayCallOpenly } from './addresses.ts';
import { faultOfUrl } from './endpoint-url.ts';

/** Proves that nobody reaches through us what only we can reach, however the address is written. */
const nothing = addressPolicy([]);
const loopback = addressPolicy(['127.0.0.0/8', '::1']);

describe('an address', () => {
  it.each(['93.184.216.34', '8.8.8.8', '2606:4700::1111', '172.32.0.1'])('%s is public', (address) => {
    expect(mayCall(nothing, address)).toBe(true);
  });

  it.each([
    ...['127.0.0.1', '127.255.0.9', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '192.0.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '240.0.0.1'],
    ...['::', '::1', 'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1', '2001:db8::1', '2001::1'],
    // IPv4 inside of IPv6: mapped, NAT64, 6to4.
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:7f00:1::', '::127.0.0.1'],
    ...['localhost', '', '127.1'],
  ])('%s is not', (address) => {
    expect(mayCall(nothing, address)).toBe(false);
  });

  it('that is private may be called where it is allowed, and nothing else with it', () => {
    const policy = addressPolicy(['10.2.0.0/16', '::1']);
    expect(['10.2.3.4', '::1', '10.3.0.1', '127.0.0.1'].map((address) => mayCall(policy, address))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(mayCallOpenly(policy, '10.2.3.4')).toBe(false);
    expect(mayCallOpenly(policy, '::1')).toBe(true);
  });
});

describe('the URL of an endpoint', () => {
  it.each(['https://shop.example/kora?a=b', 'https://93.184.216.34:8443/', 'https://[2606:4700::1111]/'])(
    '%s is good',
    (url) => {
      expect(faultOfUrl(url, nothing)).toBeUndefined();
    },
  );

  it.each<readonly [url: string, sentence: string]>([
    ['http://shop.example/', 'https is wanted'],
    ['http://127.0.0.1:8000/', 'https is wanted'],
    ['ftp://shop.example/', 'https is wanted'],
    ['file:///etc/passwd', 'https is wanted'],
    ['shop.example', 'a URL is wanted'],
    ['https://ada:secret@shop.example/', 'without user and password'],
    ['https://shop.example/#x', 'without a fragment'],
    [`https://shop.example/${'x'.repeat(2_048)}`, 'at most 2048 characters'],
    ['https://169.254.169.254/latest/meta-data', 'a public address is wanted'],
    // As browsers read them: all of these are 127.0.0.1.
    ...[
      'https://2130706433/',
      'https://0x7f.1/',
      'https://0177.0.0.1/',
      'https://127.1/',
      'https://[::ffff:7f00:1]/',
    ].map((url) => [url, 'a public address is wanted'] as const),
  ])('%s is refused: %s', (url, sentence) => {
    expect(faultOfUrl(url, nothing)).toContain(sentence);
  });

  it.each(['http://127.0.0.1:8000/', 'http://localhost:8000/', 'http://[::1]:8000/'])(
    '%s is good where this machine may be called',
    (url) => {
      expect(faultOfUrl(url, loopback)).toBeUndefined();
    },
  );
});

describe('the lookup of a connection', () => {
  const look = (may: (address: string) => boolean, all: boolean) =>
    new Promise((resolve) => {
      guardedLookup(may)('localhost', { all }, (error: unknown, address: unknown) =>
        resolve(error instanceof Error ? error.name : address),
      );
    });

  it('finds what may be called, and nothing where it may not', async () => {
    expect(await look(() => true, false)).toMatch(/^(127\.0\.0\.1|::1)$/);
    expect(await look(() => true, true)).toMatchObject([{ family: expect.any(Number) as number }]);
    expect(await look((address) => mayCall(nothing, address), false)).toBe('ForbiddenAddressError');
    expect(await look((address) => mayCall(nothing, address), true)).toBe('ForbiddenAddressError');
  });
});
