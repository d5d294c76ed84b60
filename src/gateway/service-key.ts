import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Ed25519KeyError, readPrivateKey, readPublicKeys, thumbprintOf } from '../platform/ed25519.ts';
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
  const privateKey = asServiceKey(() => readPrivateKey(text, 'the service key'));
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** The name by which tokens say which key signed them: the JWK thumbprint of the public key (RFC 7638). */
export function keyIdOf({ publicKey }: ServicePublicKey): string {
  return thumbprintOf(publicKey);
}

/**
 * Reads keys whose tokens are still taken while the key is rotated.
 *
 * @param text Ed25519 keys: PEM, one after the other, or a JWK, or a JWK Set (RFC 7517). Private ones will do: of them
 *   only the public half is kept
 * @throws ServiceKeyError where there is none in it, or something else. The message never holds the text.
 */
export function readServicePublicKeys(text: string): ServicePublicKey[] {
  return asServiceKey(() => readPublicKeys(text, 'the accepted service keys')).map((publicKey) => ({ publicKey }));
}

function asServiceKey<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof Ed25519KeyError) throw new ServiceKeyError(error.message);
    throw error;
  }
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
