import { createHash, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { syncPath } from '../durable-file.ts';
import { openChunks, sealChunks } from './chunked-seal.ts';
import { ObjectStoreError, type ObjectStore } from './object-store.ts';

/** The keys that objects are sealed with: one for each scope (a bank profile) and day, wrapped by a key of the configuration. */
export interface DataKeys {
  /** The key of the day, made at first need; the same for all processes. `wrapped` opens with the configuration's key. */
  keyOf(scope: string, day: string): Promise<{ readonly plain: Buffer; readonly wrapped: Buffer }>;
  /** The key that an object names. @param wrapped as it was when the object was sealed, where nothing else is left of it */
  find(scope: string, day: string, wrapped: Buffer): Promise<Buffer>;
}

export interface SealedObjectsOptions {
  readonly store: ObjectStore;
  readonly keys: DataKeys;
  /** Where what arrives waits, sealed, until its hash is known. */
  readonly spoolDir: string;
}

/** What has arrived: sealed in a file of ours, not stored yet. */
export interface Arrived {
  /** SHA-256 of the plain bytes, in hex. */
  readonly hash: string;
  /** Of the plain bytes. */
  readonly size: number;
  readonly file: string;
  discard(): Promise<void>;
}

/** Envelope: magic, length of the header (2 bytes), header, chunks. */
const MAGIC = Buffer.from('KORAOBJ1');

interface Header {
  readonly scope: string;
  readonly day: string;
  /** The data key, wrapped. */
  readonly key: string;
  readonly salt: string;
}

/** Objects that nobody reads who has only the store: plain bytes never leave the process, not even to the spool. */
export class SealedObjects {
  readonly #store: ObjectStore;
  readonly #keys: DataKeys;
  readonly #spoolDir: string;

  constructor({ store, keys, spoolDir }: SealedObjectsOptions) {
    this.#store = store;
    this.#keys = keys;
    this.#spoolDir = spoolDir;
  }

  /** Removes what a process that was killed left in the spool. */
  async prepare(): Promise<void> {
    await mkdir(this.#spoolDir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#spoolDir)) {
      const file = join(this.#spoolDir, name);
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
      // Another process may be at work in it.
      if (name.endsWith('.arriving') && Date.now() - mtimeMs > 24 * 3_600_000) await rm(file, { force: true });
    }
  }

  /**
   * Takes bytes in, sealing them on the way.
   *
   * @throws ObjectStoreError `ObjectTooLarge` as soon as there is one byte too many; whatever `bytes` throws
   */
  async receive(scope: string, bytes: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Arrived> {
    const day = new Date().toISOString().slice(0, 10);
    const { plain, wrapped } = await this.#keys.keyOf(scope, day);
    const salt = randomBytes(32);
    const header = headerBytes({ scope, day, key: wrapped.toString('base64'), salt: salt.toString('base64') });
    const file = join(this.#spoolDir, `${randomUUID()}.arriving`);
    const discard = (): Promise<void> => rm(file, { force: true });
    const hash = createHash('sha256');
    let size = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const some of bytes) {
        size += some.length;
        if (size > bytesMax) throw new ObjectStoreError('ObjectTooLarge', `more than ${bytesMax} bytes are not taken`);
        hash.update(some);
        yield some;
      }
    }
    try {
      const out = createWriteStream(file, { flags: 'wx', mode: 0o600 });
      // Told by `finished` and by the wait for it to drain, too: without a listener it would end the process.
      out.on('error', () => undefined);
      try {
        out.write(header);
        for await (const chunk of sealChunks(objectKey(plain, salt), header, counted())) {
          if (!out.write(chunk)) await once(out, 'drain');
        }
        out.end();
        await finished(out);
      } finally {
        out.destroy();
        // Before, it may still be about to be made: then there would be nothing to discard, and a file afterwards.
        if (!out.closed) await once(out, 'close');
      }
      await syncPath(file);
    } catch (error) {
      await discard();
      throw error;
    }
    return { hash: hash.digest('hex'), size, file, discard };
  }

  /**
   * Stores what has arrived. A key that has the same bytes already is as good.
   *
   * @throws ObjectStoreError `ObjectConflict` where the key has other bytes
   */
  async keep(key: string, scope: string, { file, hash }: Pick<Arrived, 'file' | 'hash'>): Promise<void> {
    if ((await this.#store.put(key, file)) === 'stored') return;
    const present = createHash('sha256');
    for await (const some of this.open(key, scope)) present.update(some);
    if (present.digest('hex') !== hash) {
      throw new ObjectStoreError('ObjectConflict', `the object ${key} is there already, with other bytes`);
    }
  }

  /**
   * The plain bytes of an object.
   *
   * @param scope whose it must be: an object that was moved here from another scope does not open
   * @throws ObjectStoreError `ObjectMissing`, `ObjectDamaged`, `StoreUnavailable`
   */
  async *open(key: string, scope: string): AsyncGenerator<Uint8Array> {
    const sealed = (await this.#store.get(key))[Symbol.asyncIterator]();
    try {
      const { header, bytes, rest } = await readHeader(sealed);
      if (header.scope !== scope) throw damaged(key);
      const plain = await this.#keys.find(header.scope, header.day, Buffer.from(header.key, 'base64'));
      yield* openChunks(objectKey(plain, Buffer.from(header.salt, 'base64')), bytes, following(rest, sealed));
    } catch (error) {
      if (error instanceof ObjectStoreError) throw error;
      throw new ObjectStoreError('StoreUnavailable', `the object ${key} cannot be read now`, { cause: error });
    } finally {
      await sealed.return?.();
    }
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

/** Each object has a key of its own, so that the numbers of its chunks can be its nonces. */
function objectKey(dataKey: Buffer, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', dataKey, salt, 'kora/object/1', 32));
}

function headerBytes(header: Header): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([MAGIC, length, text]);
}

async function readHeader(
  sealed: AsyncIterator<Uint8Array>,
): Promise<{ readonly header: Header; readonly bytes: Buffer; readonly rest: Buffer }> {
  let read: Buffer = Buffer.alloc(0);
  const upTo = async (count: number): Promise<void> => {
    while (read.length < count) {
      const next = await sealed.next();
      if (next.done === true) throw damaged();
      read = Buffer.concat([read, next.value]);
    }
  };
  await upTo(MAGIC.length + 2);
  if (!read.subarray(0, MAGIC.length).equals(MAGIC)) throw damaged();
  const end = MAGIC.length + 2 + read.readUInt16BE(MAGIC.length);
  await upTo(end);
  const bytes = read.subarray(0, end);
  try {
    // Whatever is wrong with its members makes a key that does not open the chunks, which authenticate the header.
    const header = JSON.parse(bytes.toString('utf8', MAGIC.length + 2)) as Header;
    const isWhole = [header.scope, header.day, header.key, header.salt].every((part) => typeof part === 'string');
    if (!isWhole) throw damaged();
    return { header, bytes, rest: read.subarray(end) };
  } catch {
    throw damaged();
  }
}

async function* following(first: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

function damaged(key = ''): ObjectStoreError {
  return new ObjectStoreError('ObjectDamaged', `the object ${key} is not as it was stored`.replace('  ', ' '));
}
