import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/**
 * HMAC-SHA256 signatures, in hex. What is signed is lines with `\n` between them and none at the end, in UTF-8:
 *
 *   a request:   method (upper case), path with its query, time-stamp, nonce, sha256 of the body in hex
 *   a callback:  time-stamp, nonce, and then the body as it is
 *
 * Time-stamps are milliseconds since 1970 as decimal text; a nonce is 16 to 64 of A-Z a-z 0-9 _ and -. A callback names no
 * path, because between its sender and us there may be somebody who rewrites it.
 */
export interface RequestToSign {
  readonly method: string;
  /** With the query, as it goes over the line. */
  readonly path: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly body: string | Buffer;
}

export function signRequest(secret: string, { method, path, timestamp, nonce, body }: RequestToSign): string {
  const digest = createHash('sha256').update(body).digest('hex');
  return hmac(secret, [method.toUpperCase(), path, timestamp, nonce, digest].join('\n'));
}

export function signCallback(
  secret: string,
  { timestamp, nonce, body }: Pick<RequestToSign, 'timestamp' | 'nonce' | 'body'>,
): string {
  return hmac(secret, Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), Buffer.from(body)]));
}

/** Compares without telling by its time how much was right. */
export function sameSignature(wanted: string, given: string): boolean {
  const [one, other] = [Buffer.from(wanted), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function hmac(secret: string, signed: string | Buffer): string {
  return createHmac('sha256', secret).update(signed).digest('hex');
}
