import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';

/**
 * Which addresses may be called. Whoever names an endpoint must not reach through us what only we can reach: metadata
 * services, databases, this very process. So a name is resolved, and the address that it came to is the one that is looked
 * at and connected to: a name that answers differently the second time gains nothing.
 */
export interface AddressPolicy {
  /** Networks that may be called although they are private, as `10.2.0.0/16`. */
  readonly allowed: BlockList;
}

/** The endpoint's address may not be called. The message is for its owner. */
export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError';
  readonly code = 'ForbiddenAddress';
}

/** What is not the public Internet (RFC 6890 and its registries), and what wraps an address of IPv4 into one of IPv6. */
const special = networksOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
]);
const globalUnicast = networksOf(['2000::/3']);
const loopback = networksOf(['127.0.0.0/8', '::1/128']);

/** @param networks `10.2.0.0/16`, `127.0.0.1`, `::1` … */
export function addressPolicy(networks: readonly string[]): AddressPolicy {
  return { allowed: networksOf(networks) };
}

export function mayCall({ allowed }: AddressPolicy, address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (allowed.check(address, type)) return true;
  if (special.check(address, type)) return false;
  return family === 4 || globalUnicast.check(address, type);
}

/** Whether it is this machine, and this machine may be called: only there may the line be open. */
export function mayCallOpenly(policy: AddressPolicy, address: string): boolean {
  return loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') && mayCall(policy, address);
}

type Looked = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/**
 * The `lookup` of a connection that only finds what may be called. One forbidden address among several is enough: a name
 * that stands for both is not honest.
 */
export function guardedLookup(may: (address: string) => boolean): typeof lookup {
  const guarded = (hostname: string, options: LookupOptions, looked: Looked): void => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        looked(error, []);
        return;
      }
      const [first] = found;
      if (first === undefined || !found.every(({ address }) => may(address))) {
        looked(new ForbiddenAddressError('its address may not be called'), []);
      } else if (options.all === true) looked(null, found);
      else looked(null, first.address, first.family);
    });
  };
  return guarded as typeof lookup;
}

function networksOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const type = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(bits), type);
  }
  return list;
}
