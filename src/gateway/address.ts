import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/**
 * Under what an address is counted: an IPv4 address is one place, and so is a /64 of IPv6, of which everybody is given at
 * least one whole. The two servers write addresses differently (`::1`, `0000:…:0001`, `::ffff:127.0.0.1`).
 */
export function placeOf(address: string): string {
  if (isIPv4(address) || !isIPv6(address)) return address;
  const groups = groupsOf(address);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!mapped)
    return `${groups
      .slice(0, 4)
      .map((group) => group.toString(16))
      .join(':')}::/64`;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** The eight numbers of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [plain = ''] = address.split('%', 1);
  const hex = plain.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [left = '', right] = hex.split('::', 2);
  const numbers = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));
  const [head, tail] = [numbers(left), numbers(right ?? '')];
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** Proxies by address (`192.0.2.7`) or network (`10.0.0.0/8`), of both families. */
export function proxiesOf(networks: readonly string[]): BlockList {
  const proxies = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/', 2);
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) proxies.addAddress(address, family);
    else proxies.addSubnet(address, Number(bits), family);
  }
  return proxies;
}

/**
 * The address of the client: the one at the other end of the socket, unless that is a proxy of ours. Then it is the last
 * one in `X-Forwarded-For` that is none; what stands before it anybody can have written.
 */
export function clientAddress(address: string, forwardedFor: string, proxies: BlockList): string {
  const hops = forwardedFor.split(',').map((hop) => hop.trim());
  let client = address;
  while (isProxy(client, proxies)) {
    const hop = hops.pop();
    if (hop === undefined || isIP(hop) === 0) break;
    client = hop;
  }
  return client;
}

function isProxy(address: string, proxies: BlockList): boolean {
  if (isIP(address) === 0) return false;
  // An IPv4 address in the clothes of IPv6 is one place by itself, and that is written as it is.
  const place = placeOf(address);
  return isIPv4(place) ? proxies.check(place, 'ipv4') : proxies.check(address, 'ipv6');
}
