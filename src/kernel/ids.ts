import { hash } from 'node:crypto';

/**
 * Ids are hashes of what they stand for, so that the same request gives the same id on every process and for ever.
 * The one-shot `crypto.hash` is used because a hash object per id costs twice the time, on the hottest path there is.
 */

/** 162 bits: two of 10^15 payments share an id with probability below 10^-18. */
const ID_CHARACTERS = 27;
/** 132 bits: a fingerprint is only ever compared with the one under the same id. */
const FINGERPRINT_CHARACTERS = 22;

/**
 * The id of a command: `tenant` and `principal` say who sent it, `key` is the sender's idempotency key. Parts are
 * length-prefixed, so that ("a", "bc") and ("ab", "c") differ, and the domain keeps these hashes apart from all others.
 *
 * @returns 27 characters of base64url
 */
export function commandIdOf(tenant: string, principal: string, key: string): string {
  return digest(
    `kora/command/1 ${tenant.length}:${tenant} ${principal.length}:${principal} ${key.length}:${key}`,
    ID_CHARACTERS,
  );
}

/** The id of a payment is the id of the command that made it: the same key cannot make two. */
export function paymentIdOf(tenant: string, principal: string, key: string): string {
  return commandIdOf(tenant, principal, key);
}

/** What may be fingerprinted: the body of a command. Fields that are undefined count as absent. */
export type FingerprintPart =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | readonly FingerprintPart[]
  | { readonly [field: string]: FingerprintPart };

/**
 * The fingerprint of operation, target and body: the same content in any order of fields gives the same, other content
 * another. A bigint counts as its decimal string, because that is how amounts are written on the wire.
 *
 * @returns 22 characters of base64url
 */
export function fingerprintOf(parts: FingerprintPart): string {
  return digest(`kora/fingerprint/1 ${canonical(parts)}`, FINGERPRINT_CHARACTERS);
}

function digest(text: string, characters: number): string {
  return hash('sha256', text, 'base64url').slice(0, characters);
}

/** JSON with sorted keys (by code unit, as RFC 8785 does) and without what is undefined. */
function canonical(part: FingerprintPart): string {
  if (typeof part === 'bigint') return `"${part.toString()}"`;
  if (part === undefined) return 'null';
  if (typeof part !== 'object' || part === null) return JSON.stringify(part);
  if (isList(part)) return `[${part.map(canonical).join(',')}]`;
  let fields = '';
  for (const field of Object.keys(part).sort()) {
    const value = part[field];
    if (value === undefined) continue;
    fields += `${fields === '' ? '' : ','}${JSON.stringify(field)}:${canonical(value)}`;
  }
  return `{${fields}}`;
}

// Array.isArray does not narrow readonly arrays.
function isList(part: object): part is readonly FingerprintPart[] {
  return Array.isArray(part);
}

const ACCOUNT_ID = /^[A-Za-z0-9_.-]{1,64}$/;

/** Whether the text may name a wallet. No colon: a colon marks the system accounts (`float:cash:XOF`). */
export function isAccountId(text: string): boolean {
  return ACCOUNT_ID.test(text);
}

const OWNER = /^user:[A-Za-z0-9_.-]{1,64}$/;

/** Whether the text may be the owner of a wallet: the principal of a user, `user:<id>`. */
export function isOwner(text: string): boolean {
  return OWNER.test(text);
}

/** Whether the text has the shape of what `commandIdOf` and `paymentIdOf` give. */
export function isPaymentId(text: string): boolean {
  return PAYMENT_ID.test(text);
}
const PAYMENT_ID = /^[A-Za-z0-9_-]{27}$/;
