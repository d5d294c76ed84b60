import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** A text is not the Ed25519 key that it should be. The message never holds the text: it may be a secret. */
export class Ed25519KeyError extends Error {
  override readonly name = 'Ed25519KeyError';
  readonly code = 'Ed25519Key';
}

/**
 * @param text an Ed25519 private key: PKCS #8 in PEM, or a JWK (RFC 8037)
 * @param what it is, as "the service key": the message begins with it
 * @throws Ed25519KeyError where it is something else
 */
export function readPrivateKey(text: string, what: string): KeyObject {
  let key: KeyObject;
  try {
    key = text.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text) as Record<string, unknown>, format: 'jwk' })
      : createPrivateKey(text);
  } catch {
    // The reason that OpenSSL or JSON gives may quote the key.
    throw new Ed25519KeyError(`${what} is no private key: give an Ed25519 key in PEM (PKCS #8) or as a JWK`);
  }
  return ed25519(key, `${what} is`);
}

/**
 * @param text Ed25519 keys: PEM, one after the other, or a JWK, or a JWK Set (RFC 7517). Of private ones only the public
 *   half is kept
 * @param what they are, as "the accepted service keys"
 * @throws Ed25519KeyError where there is none in it, or something else
 */
export function readPublicKeys(text: string, what: string): KeyObject[] {
  let keys: KeyObject[];
  try {
    keys = text.trimStart().startsWith('{') ? jwkPublicKeys(text) : pemPublicKeys(text);
  } catch {
    // As above: the reason may quote a key.
    throw new Ed25519KeyError(`${what} cannot be read: give Ed25519 keys in PEM, or as a JWK Set`);
  }
  if (keys.length === 0) throw new Ed25519KeyError(`there is no key among ${what}`);
  return keys.map((key) => ed25519(key, `one of ${what} is`));
}

/** The name of a key: the JWK thumbprint of its public half (RFC 7638). */
export function thumbprintOf(publicKey: KeyObject): string {
  const { crv, kty, x } = publicKey.export({ format: 'jwk' });
  // Exactly these members, in this order, without spaces: that is what the RFC hashes.
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
}

function ed25519(key: KeyObject, whatIs: string): KeyObject {
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Ed25519KeyError(`${whatIs} of type ${String(key.asymmetricKeyType)}: an Ed25519 key is needed`);
}

function jwkPublicKeys(text: string): KeyObject[] {
  const document = JSON.parse(text) as Record<string, unknown> & { keys?: Record<string, unknown>[] };
  return (document.keys ?? [document]).map((key) => createPublicKey({ key, format: 'jwk' }));
}

function pemPublicKeys(text: string): KeyObject[] {
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[^-]*-----END \1-----/g) ?? [];
  const rest = blocks.reduce((left, block) => left.replace(block, ''), text).trim();
  if (rest !== '') throw new Error('something beside the keys');
  return blocks.map((pem) => createPublicKey(pem));
}
