import { isIP } from 'node:net';
import { type AddressPolicy, mayCall, mayCallOpenly } from './addresses.ts';

const URL_CHARACTERS_MAX = 2_048;

/** The host as a socket takes it: URLs have IPv6 in brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/**
 * What is wrong with the URL of an endpoint, as far as it can be told before anything is connected to; a sentence for
 * people, undefined where nothing is. Where a name leads to is looked at in each call.
 */
export function faultOfUrl(text: string, policy: AddressPolicy): string | undefined {
  if (text.length > URL_CHARACTERS_MAX) return `at most ${URL_CHARACTERS_MAX} characters are wanted`;
  if (!URL.canParse(text)) return 'a URL is wanted, as https://shop.example/kora';
  const url = new URL(text);
  const { protocol, username, password, hash } = url;
  // A password would be stored, shown in lists, and sent to whoever may read them.
  if (username !== '' || password !== '') return 'a URL without user and password is wanted: deliveries are signed';
  if (hash !== '') return 'a URL without a fragment is wanted';
  const host = hostOf(url);
  const isAddress = isIP(host) !== 0;
  if (protocol === 'http:') {
    const openly = isAddress ? mayCallOpenly(policy, host) : host === 'localhost' && mayCallOpenly(policy, '127.0.0.1');
    return openly ? undefined : 'https is wanted';
  }
  if (protocol !== 'https:') return 'https is wanted';
  if (isAddress && !mayCall(policy, host)) return 'a public address is wanted';
  return undefined;
}
