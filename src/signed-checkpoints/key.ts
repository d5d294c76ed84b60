import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ed25519KeyError, readPrivateKey, readPublicKeys, thumbprintOf } from '../platform/ed25519.ts';
import { loadOrCreatePrivateFile } from '../platform/private-file.ts';

/** The Ed25519 key pair that signs checkpoints, and nothing else. */
export interface CheckpointKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * The configured key, else the one that the data folder keeps in `keys/checkpoint.key`, made at the first call.
 *
 * @throws Ed25519KeyError where it is not such a key
 * @throws PrivateFileError where others than its owner can read the file
 */
export async function checkpointKeyOf(text: string | undefined, dataDir: string): Promise<CheckpointKey> {
  if (text !== undefined) return pairOf(text, 'the checkpoint key');
  const kept = await loadOrCreatePrivateFile(dataDir, 'checkpoint.key', () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  return pairOf(kept.text, kept.file);
}

function pairOf(text: string, what: string): CheckpointKey {
  const privateKey = readPrivateKey(text, what);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** The public half as PEM, which `kora verify --against` takes. */
export function publicPem({ publicKey }: Pick<CheckpointKey, 'publicKey'>): string {
  return publicKey.export({ type: 'spki', format: 'pem' }) as string;
}

const publicSuffix = '.pub.pem';

/** Beside the checkpoints. A new key gets a new name: those of older checkpoints stay. */
export function publicKeyFile({ publicKey }: Pick<CheckpointKey, 'publicKey'>): string {
  return `checkpoint-key-${thumbprintOf(publicKey)}${publicSuffix}`;
}

/**
 * The public keys of a file, or of all `*.pub.pem` files of a folder.
 *
 * @throws Ed25519KeyError where there is none
 */
export async function readTrustedKeys(
  place: { readonly file: string } | { readonly folder: string },
): Promise<KeyObject[]> {
  if ('file' in place) return readPublicKeys(await readFile(place.file, 'utf8'), `the keys of ${place.file}`);
  const names = await readdir(place.folder).catch(() => []);
  const files = names.filter((name) => name.endsWith(publicSuffix)).map((name) => join(place.folder, name));
  if (files.length === 0) throw new Ed25519KeyError(`there is no public key in ${place.folder}: give one with --key`);
  const keys = files.map(async (file) => readPublicKeys(await readFile(file, 'utf8'), `the keys of ${file}`));
  return (await Promise.all(keys)).flat();
}
