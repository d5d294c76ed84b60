import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';

/** A new secret of an endpoint: 32 bytes, as a text that tells what it is wherever it turns up. */
export function newSecret(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/**
 * The value of `Kora-Signature`: `t=<unix seconds>,v1=<hex>`, where v1 is HMAC-SHA-256 over `<t>.<body>` with the secret's
 * text as key. The time is signed, so that what was caught on the way is good for minutes and not for ever.
 *
 * @param body the bytes that are sent, as text
 * @param secrets each signs: while one is rotated there are two, and the receiver takes either
 */
export function signatureHeader(body: string, secrets: readonly string[], at: Date): string {
  const seconds = Math.floor(at.getTime() / 1000);
  const values = secrets.map((secret) => createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex'));
  return [`t=${seconds}`, ...values.map((value) => `v1=${value}`)].join(',');
}
