import { randomText, toBase64url, toHex } from '../calls/base64url.ts';

/**
 * What a user's tokens are bound to: an id, and an Ed25519 key that signs sensitive commands (cash-out, change of password,
 * freeze). A stolen token is worth nothing without the device, and money does not leave without its key.
 */
export interface Device {
  readonly id: string;
  readonly privateKey: CryptoKey;
  /** The 32 bytes of the public key, base64url: what the door is told at sign-up and log-in. */
  readonly publicKey: string;
}

/** A device as it can be written down where `CryptoKey`s cannot: as JSON. Holds the private key: keep it as a secret. */
export interface DeviceJwk {
  readonly id: string;
  /** RFC 8037: `kty` OKP, `crv` Ed25519, `x`, `d`. */
  readonly jwk: JsonWebKey;
}

const algorithm = { name: 'Ed25519' };

/**
 * Makes a device. Where it lives longer than the page or the process, keep it: `deviceOfThisBrowser` does for browsers,
 * `deviceToJwk` for everything else.
 *
 * @param options.extractable whether `deviceToJwk` can write it down. Default false: the private key never leaves the
 * platform's key store.
 */
export async function createDevice(options: { readonly extractable?: boolean } = {}): Promise<Device> {
  const { extractable = false } = options;
  const pair = (await crypto.subtle.generateKey(algorithm, extractable, ['sign', 'verify'])) as CryptoKeyPair;
  const publicKey = toBase64url(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)));
  return { id: randomText(), privateKey: pair.privateKey, publicKey };
}

/** Writes a device down. It must have been made extractable. */
export async function deviceToJwk({ id, privateKey }: Device): Promise<DeviceJwk> {
  return { id, jwk: await crypto.subtle.exportKey('jwk', privateKey) };
}

/** The device that was written down. Its key can then be used, and not be written down again. */
export async function deviceFromJwk({ id, jwk }: DeviceJwk): Promise<Device> {
  const { x } = jwk;
  if (x === undefined) throw new TypeError('a device JWK needs x, its public key');
  return { id, privateKey: await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']), publicKey: x };
}

/** The headers that prove that this device wants this request, now, and once. */
export async function signatureHeaders(
  device: Device,
  request: { readonly method: string; readonly path: string; readonly body: string },
  now: Date,
): Promise<Readonly<Record<string, string>>> {
  const { method, path, body } = request;
  const encoder = new TextEncoder();
  const timestamp = now.toISOString();
  // A new one for every try: the door takes none twice.
  const nonce = randomText(24);
  const digest = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(body))));
  const text = ['kora/sensitive/1', method, path, timestamp, nonce, digest].join('\n');
  const signature = await crypto.subtle.sign(algorithm, device.privateKey, encoder.encode(text));
  return {
    'kora-timestamp': timestamp,
    'kora-nonce': nonce,
    'kora-signature': toBase64url(new Uint8Array(signature)),
  };
}
