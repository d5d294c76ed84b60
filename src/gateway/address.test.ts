import { describe, expect, it } from 'vitest';
import { clientAddress, placeOf, proxiesOf } from './address.ts';

/** Proves that one place is counted as one, however its address is written. */
describe('the place of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['0000:0000:0000:0000:0000:ffff:c000:0207', '192.0.2.7'],
    ['::1', '0:0:0:0::/64'],
    ['0000:0000:0000:0000:0000:0000:0000:0001', '0:0:0:0::/64'],
    ['2001:db8:1:2::7', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, place) => {
    expect(placeOf(address)).toBe(place);
  });
});

describe('the address of a client', () => {
  const proxies = proxiesOf(['10.0.0.0/8', '192.0.2.1', 'fd00::/8']);

  it.each([
    // Nobody's word counts but our proxies'.
    ['198.51.100.1', '203.0.113.9', '198.51.100.1'],
    ['10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['::ffff:10.1.2.3', '203.0.113.9', '203.0.113.9'],
    ['0000:0000:0000:0000:0000:ffff:0a01:0203', '203.0.113.9', '203.0.113.9'],
    ['fd00::7', '2001:db8::9', '2001:db8::9'],
    ['10.1.2.3', '6.6.6.6, 203.0.113.9, 192.0.2.1', '203.0.113.9'],
    ['10.1.2.3', '', '10.1.2.3'],
    ['10.1.2.3', 'unknown', '10.1.2.3'],
    ['10.1.2.3', '10.9.9.9', '10.9.9.9'],
    ['', '203.0.113.9', ''],
  ])('at %j, forwarded for %j, is %j', (address, forwardedFor, client) => {
    expect(clientAddress(address, forwardedFor, proxies)).toBe(client);
  });

  it('is that of the socket where no proxy is known', () => {
    expect(clientAddress('10.1.2.3', '203.0.113.9', proxiesOf([]))).toBe('10.1.2.3');
  });
});
