import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { loadOrCreatePrivateFile } from '../platform/private-file.ts';

/** The Ed25519 key pair by which service tokens are signed and checked. */
export interface ServiceKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** What a token is checked with. */
export type ServicePublicKey = Pick<ServiceKey, 'publicKey'>;

/** The key cannot be used: not an Ed25519 private key, or a file that others can read. */
export class ServiceKeyError extends Error {
  override readonly name = 'ServiceKeyError';
  readonly code = 'ServiceKey';
}

/** Makes a new key. */
export function createServiceKey(): ServiceKey {
  return generateKeyPairSync('ed25519');
}

/**
 * Reads a configured key.
 *
 * @param text an Ed25519 private key: PKCS #8 in PEM, or a JWK (RFC 8037)
 * @throws ServiceKeyError where it is something else. The message never holds the text.
 */
export function readServiceKey(text: string): ServiceKey {
  let privateKey: KeyObject;
  try {
    privateKey = text.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text) as Record<string, unknown>, format: 'jwk' })
      : createPrivateKey(text);
  } catch {
    // The reason that OpenSSL or JSON gives may quote the key.
    throw new ServiceKeyError('the service key is no private key: give an Ed25519 key in PEM (PKCS #8) or as a JWK');
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new ServiceKeyError(
      `the service key is of type ${String(privateKey.asymmetricKeyType)}: an Ed25519 key is needed`,
    );
  }
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** The name by which tokens say which key signed them: the JWK thumbprint of the public key (RFC 7638). */
export function keyIdOf({ publicKey }: ServicePublicKey): string {
  const { crv, kty, x } = publicKey.export({ format: 'jwk' });
  // Exactly these members, in this order, without spaces: that is what the RFC hashes.
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
}

/**
 * Reads keys whose tokens are still taken while the key is rotated.
 *
 * @param text Ed25519 keys: PEM, one after the other, or a JWK, or a JWK Set (RFC 7517). Private ones will do: of them
 *   only the public half is kept
 * @throws ServiceKeyError where there is none in it, or something else. The message never holds the text.
 */
export function readServicePublicKeys(text: string): ServicePublicKey[] {
  let keys: KeyObject[];
  try {
    keys = text.trimStart().startsWith('{') ? jwkPublicKeys(text) : pemPublicKeys(text);
  } catch {
    // As above: the reason may quote a key.
    throw new ServiceKeyError('the accepted service keys cannot be read: give Ed25519 keys in PEM, or as a JWK Set');
  }
  if (keys.length === 0) throw new ServiceKeyError('there is no key among the accepted service keys');
  return keys.map((publicKey) => {
    if (publicKey.asymmetricKeyType === 'ed25519') return { publicKey };
    const type = String(publicKey.asymmetricKeyType);
    throw new ServiceKeyError(`one of the accepted service keys is of type ${type}: an Ed25519 key is needed`);
  });
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

/**
 * The key of this data folder, `<dataDir>/keys/service-key.pem`, made at the first call. Processes that start at once
 * all get the same one.
 *
 * @throws ServiceKeyError where the file is not a key
 * @throws PrivateFileError where others than its owner can read it
 */
export async function loadOrCreateServiceKey(dataDir: string): Promise<ServiceKey> {
  const { file, text } = await loadOrCreatePrivateFile(dataDir, 'service-key.pem', () =>
    createServiceKey().privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  try {
    return readServiceKey(text);
  } catch (error) {
    throw new ServiceKeyError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
