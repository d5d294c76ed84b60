import { isIPv4, isIPv6 } from 'node:net';

/**
 * What counts as one address: an IPv4 address, also where IPv6 carries it, and the /64 of an IPv6 address, because whoever
 * has one has all of it (RFC 6177).
 */
export function addressGroup(address: string): string {
  const bare = address.split('%')[0] ?? address;
  const mapped = /^::ffff:(.+)$/i.exec(bare)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  return isIPv6(bare) ? `${expanded(bare).slice(0, 4).join(':')}::/64` : bare;
}

/** The eight groups, without leading zeros. The last two may be written as IPv4; they do not matter here. */
function expanded(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = (text: string | undefined): string[] =>
    (text ?? '').split(':').flatMap((group) => (group === '' ? [] : group.includes('.') ? ['0', '0'] : [group]));
  const [first, last] = [groups(head), groups(tail)];
  const gap = tail === undefined ? 0 : Math.max(8 - first.length - last.length, 0);
  return [...first, ...Array.from({ length: gap }, () => '0'), ...last].map((group) => group.replace(/^0+(?=.)/, ''));
}
