import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The Ed25519 key pair by which service tokens are signed and checked. */
export interface ServiceKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

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

/**
 * The key of this data folder, `<dataDir>/keys/service-key.pem`, made at the first call. Processes that start at once
 * all get the same one.
 *
 * @throws ServiceKeyError where the file is not a key, or others than its owner can read it
 */
export async function loadOrCreateServiceKey(dataDir: string): Promise<ServiceKey> {
  const folder = join(dataDir, 'keys');
  const file = join(folder, 'service-key.pem');
  const existing = await readKeyFile(file);
  if (existing !== undefined) return existing;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Written under another name and linked into place: the file is never seen half written, and the first one stays.
  const draft = join(folder, `.service-key-${randomUUID()}`);
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(createServiceKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await handle.sync();
    } finally {
      await handle.close();
    }
    // The umask can only have taken bits away; this makes it exactly 0600.
    await chmod(draft, 0o600);
    await link(draft, file).catch(ignoring('EEXIST'));
  } finally {
    await rm(draft, { force: true });
  }
  const created = await readKeyFile(file);
  if (created === undefined) throw new ServiceKeyError(`${file} was removed while it was made`);
  return created;
}

async function readKeyFile(file: string): Promise<ServiceKey | undefined> {
  const text = await readFile(file, 'utf8').catch(ignoring('ENOENT'));
  if (text === undefined) return undefined;
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) {
    throw new ServiceKeyError(`others can read ${file}, so it may be known: make a new one, or chmod 600 if it is not`);
  }
  try {
    return readServiceKey(text);
  } catch (error) {
    throw new ServiceKeyError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** For `catch`: undefined for this one error code, and the error for every other. */
function ignoring(code: string): (error: unknown) => undefined {
  return (error) => {
    if ((error as { code?: unknown }).code !== code) throw error;
    return undefined;
  };
}
