import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Written from docs/connectors.md and not from the connector's code: a mistake that both made would not be seen. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export class Signatures {
  readonly #secret: string;
  readonly #apiKey: string | undefined;
  readonly #withinMs: number;
  /** When each is forgotten: its time-stamp is stale then. */
  readonly #nonces = new Map<string, number>();

  constructor(secret: string, apiKey: string | undefined, withinMs: number) {
    this.#secret = secret;
    this.#apiKey = apiKey;
    this.#withinMs = withinMs;
  }

  /** What is wrong with a request; undefined: nothing. */
  refuse(method: string, path: string, headers: Headers, body: Buffer): string | undefined {
    const [timestamp, nonce, signature] = ['x-timestamp', 'x-nonce', 'x-signature'].map((name) =>
      String(headers[name]),
    );
    if (this.#apiKey !== undefined && headers['x-api-key'] !== this.#apiKey) return 'UnknownClient';
    const digest = createHash('sha256').update(body).digest('hex');
    const wanted = this.#hmac([method, path, timestamp, nonce, digest].join('\n'));
    const given = Buffer.from(signature ?? '');
    if (given.length !== wanted.length || !timingSafeEqual(given, Buffer.from(wanted))) return 'BadSignature';
    const now = Date.now();
    if (Math.abs(now - Number(timestamp)) > this.#withinMs) return 'StaleTimestamp';
    for (const [old, until] of this.#nonces) {
      if (until > now) break;
      this.#nonces.delete(old);
    }
    if (this.#nonces.has(nonce ?? '')) return 'ReplayedNonce';
    this.#nonces.set(nonce ?? '', now + 2 * this.#withinMs);
    return undefined;
  }

  /** Headers of a callback with this body. */
  ofCallback(body: string): Record<string, string> {
    const timestamp = String(Date.now());
    const nonce = randomBytes(16).toString('hex');
    return {
      'x-timestamp': timestamp,
      'x-nonce': nonce,
      'x-signature': this.#hmac(`${timestamp}\n${nonce}\n${body}`),
    };
  }

  #hmac(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('hex');
  }
}
