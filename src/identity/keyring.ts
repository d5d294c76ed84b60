import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/**
 * The keys of what is personal. Each entry is one master key of 32 bytes, from which HKDF (RFC 5869) makes three that are
 * used for one thing each: sealing, the blind index, and the keyed hashes of logins and addresses in journal and back-off.
 */
export interface Keyring {
  /** Newest first; what is written is sealed with the first one. */
  readonly keyIds: readonly string[];
  /**
   * Seals with the newest key: AES-256-GCM with a random nonce. Good for 2^32 values under one key (NIST SP 800-38D, 8.3).
   *
   * @param place what it belongs to, as `users.login/<user id>`: opened at another place it is refused, so that whoever
   * can write the table cannot put one person's value into another's row
   */
  seal(plain: string | Buffer, place: string): Buffer;
  /** @throws KeyringError when its key is not in the ring, the place is another, or it was changed */
  open(sealed: Buffer, place: string): Buffer;
  /** The id of the key that it is sealed with. */
  keyIdOf(sealed: Buffer): string;
  /** HMAC-SHA-256 of a text by each key, newest first: to be found by, whichever key it was indexed with. */
  blindIndexes(text: string): { readonly keyId: string; readonly index: Buffer }[];
  /** Keyed hash by the newest key, for what must be recognised but not read: `<key id>:<43 characters>`. */
  keyedHash(text: string): string;
}

/** The keyring cannot be read, or does not open what is there. Messages never hold keys or plain text. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError';
  readonly code = 'Keyring';
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const ENVELOPE_VERSION = 1;
const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/;

interface Keys {
  readonly sealing: Buffer;
  readonly index: Buffer;
  readonly hash: Buffer;
}

/**
 * Reads a keyring: `id:key,id:key`, newest first, each key 32 bytes in base64 or base64url.
 *
 * To rotate: put the new key *behind* the old one and restart every process, so that all of them can open what it seals;
 * then in front, and restart again; then run `kora identity reseal`; then the old one can go. A single process may begin
 * with the second step.
 *
 * @throws KeyringError
 */
export function readKeyring(text: string): Keyring {
  const rings = new Map<string, Keys>();
  for (const entry of text.split(/[,\s]+/).filter((part) => part !== '')) {
    const [id = '', key = '', ...rest] = entry.split(':');
    const bytes = Buffer.from(key, 'base64');
    // Buffer.from skips what is no base64: only the length and this test see a mistyped key.
    if (!KEY_ID.test(id) || rest.length > 0 || !/^[A-Za-z0-9+/_=-]+$/.test(key) || bytes.length !== KEY_BYTES) {
      throw new KeyringError('a keyring is wanted as id:key,id:key with keys of 32 bytes in base64, newest first');
    }
    if (rings.has(id)) throw new KeyringError(`the keyring has two keys with the id ${id}`);
    rings.set(id, derived(bytes));
  }
  return keyringOf(rings);
}

/** The text of a keyring with one new key, named by the day. */
export function newKeyringText(now: Date): string {
  return `${now.toISOString().slice(0, 10)}:${randomBytes(KEY_BYTES).toString('base64url')}`;
}

function derived(master: Buffer): Keys {
  const make = (use: string): Buffer =>
    Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `kora/identity/${use}/1`, KEY_BYTES));
  return { sealing: make('seal'), index: make('blind-index'), hash: make('keyed-hash') };
}

function keyringOf(rings: ReadonlyMap<string, Keys>): Keyring {
  const [newest] = rings;
  if (newest === undefined) throw new KeyringError('the keyring has no key');
  const [newestId, newestKeys] = newest;
  return {
    keyIds: [...rings.keys()],
    keyIdOf: (sealed) => partsOf(sealed).keyId,
    seal(plain, place) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', newestKeys.sealing, iv).setAAD(Buffer.from(place));
      const text = Buffer.concat([cipher.update(plain), cipher.final()]);
      const id = Buffer.from(newestId);
      return Buffer.concat([Buffer.from([ENVELOPE_VERSION, id.length]), id, iv, cipher.getAuthTag(), text]);
    },
    open(sealed, place) {
      const { keyId, iv, tag, text } = partsOf(sealed);
      const keys = rings.get(keyId);
      if (keys === undefined) throw new KeyringError(`sealed with key ${keyId}, which is not in the keyring`);
      try {
        const decipher = createDecipheriv('aes-256-gcm', keys.sealing, iv, { authTagLength: TAG_BYTES });
        decipher.setAAD(Buffer.from(place)).setAuthTag(tag);
        return Buffer.concat([decipher.update(text), decipher.final()]);
      } catch {
        throw new KeyringError(`what is sealed with key ${keyId} does not open: changed, moved, or another key`);
      }
    },
    blindIndexes: (text) => [...rings].map(([keyId, keys]) => ({ keyId, index: hmac(keys.index, text) })),
    keyedHash: (text) => `${newestId}:${hmac(newestKeys.hash, text).toString('base64url')}`,
  };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Envelope: version, length of the key's id, id, nonce, tag, text. */
function partsOf(sealed: Buffer): { keyId: string; iv: Buffer; tag: Buffer; text: Buffer } {
  const [version, idLength = 0] = sealed;
  const ivAt = 2 + idLength;
  const textAt = ivAt + IV_BYTES + TAG_BYTES;
  if (version !== ENVELOPE_VERSION || sealed.length < textAt) throw new KeyringError('not a sealed value');
  return {
    keyId: sealed.toString('utf8', 2, ivAt),
    iv: sealed.subarray(ivAt, ivAt + IV_BYTES),
    tag: sealed.subarray(ivAt + IV_BYTES, textAt),
    text: sealed.subarray(textAt),
  };
}
