import { domainToASCII } from 'node:url';

/** What somebody logs in with, in the one form in which it is indexed. Personal: never logged, never in an error. */
export interface Login {
  readonly kind: 'phone' | 'email';
  /** E.164 (`+221771234567`), or an address in lower case with its domain in ASCII. */
  readonly value: string;
}

/** ITU-T E.164: at most 15 digits, the first of them not 0. Fewer than 8 are no subscriber's number anywhere. */
const E164 = /^\+[1-9][0-9]{7,14}$/;
/** A practical subset of RFC 5321: dot-atom, no quoted local parts, no comments, no address literals. */
const LOCAL_PART = /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;
const LOGIN_CHARS_MAX = 320;

/**
 * Reads a phone number or an e-mail address, and brings every way of writing it to one form.
 *
 * A number must carry its country code (`+221…` or `00221…`): without it, it would depend on where it is read. Blanks,
 * dots, hyphens and brackets between the digits go; so does the trunk zero of `+44 (0)20 …`. Addresses are compared
 * without case: RFC 5321 allows local parts to differ by it, but no mailbox in use does.
 *
 * @returns undefined where it is neither
 */
export function readLogin(text: string): Login | undefined {
  if (text.length > LOGIN_CHARS_MAX) return undefined;
  const trimmed = text.normalize('NFKC').trim();
  // What reads URLs would leave line ends and tabs out, and make two logins one.
  if (/\p{Cc}/u.test(trimmed)) return undefined;
  return trimmed.includes('@') ? readEmail(trimmed) : readPhone(trimmed);
}

function readPhone(text: string): Login | undefined {
  if (!/^[+0-9 ().\-\u2010-\u2015\u00ad\u00a0]+$/.test(text)) return undefined;
  const value = text
    .replace(/\(0\)/, '')
    .replace(/[^+0-9]/g, '')
    .replace(/^00/, '+');
  return E164.test(value) ? { kind: 'phone', value } : undefined;
}

function readEmail(text: string): Login | undefined {
  const at = text.lastIndexOf('@');
  const [local, domain] = [text.slice(0, at).toLowerCase(), domainToASCII(text.slice(at + 1)).toLowerCase()];
  // RFC 5321, 4.5.3.1: octets, not characters.
  if (Buffer.byteLength(local) > 64 || domain.length > 253 || !LOCAL_PART.test(local) || !DOMAIN.test(domain)) {
    return undefined;
  }
  return { kind: 'email', value: `${local}@${domain}` };
}

/** What a password must not be made of: the login and the words in it. */
export function wordsOf({ value }: Login): string[] {
  return [value, value.replace(/^\+/, ''), ...value.split(/[^\p{L}\p{N}]+/u)].filter((word) => word.length >= 3);
}
