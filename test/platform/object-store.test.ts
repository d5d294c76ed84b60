import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chunkBytes } from '../../src/platform/object-store/chunked-seal.ts';
import { FolderStore } from '../../src/platform/object-store/folder-store.ts';
import type { ObjectStore } from '../../src/platform/object-store/object-store.ts';
import { S3Store } from '../../src/platform/object-store/s3-store.ts';
import { type DataKeys, SealedObjects } from '../../src/platform/object-store/sealed-objects.ts';

/** Proves that every object store keeps what it was given, once, sealed, and gives nothing back that was touched since. */
interface Stage {
  readonly store: ObjectStore;
  stop(): Promise<void>;
}

async function folderStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'kora-objects-'));
  return { store: new FolderStore(folder), stop: () => rm(folder, { recursive: true }) };
}

async function s3Stage(): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'kora-s3-'));
  const port = await freePort();
  const server = new S3rver({
    port,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: 'statements', configs: [] }],
  });
  await server.run();
  const store = new S3Store({
    bucket: 'statements',
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${port}`,
    pathStyle: true,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
  });
  return {
    store,
    stop: async () => {
      await store.close();
      await server.close();
      await rm(directory, { recursive: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function dataKeys(): DataKeys {
  const keys = new Map<string, Buffer>();
  const keyOf = (scope: string, day: string): Buffer => {
    const name = `${scope} ${day}`;
    const key = keys.get(name) ?? randomBytes(32);
    keys.set(name, key);
    return key;
  };
  return {
    keyOf: (scope, day) => Promise.resolve({ plain: keyOf(scope, day), wrapped: Buffer.from('wrapped') }),
    find: (scope, day) => Promise.resolve(keyOf(scope, day)),
  };
}

async function* inParts(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield await Promise.resolve(bytes.subarray(from, from + size));
}

async function collected(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const some of bytes) parts.push(some);
  return Buffer.concat(parts);
}

describe.each([
  ['a folder', folderStage],
  ['S3', s3Stage],
])('objects in %s', (_name, makeStage) => {
  let stage: Stage;
  let spoolDir: string;
  let objects: SealedObjects;

  beforeAll(async () => {
    stage = await makeStage();
    spoolDir = await mkdtemp(join(tmpdir(), 'kora-spool-'));
    objects = new SealedObjects({ store: stage.store, keys: dataKeys(), spoolDir });
    await objects.prepare();
  });
  afterAll(async () => {
    await stage.stop();
    await rm(spoolDir, { recursive: true });
  });

  const put = async (key: string, bytes: Buffer, scope = 'bank:AB'): Promise<void> => {
    const arrived = await objects.receive(scope, inParts(bytes, 10_007), 10_000_000);
    try {
      await objects.keep(key, scope, arrived);
    } finally {
      await arrived.discard();
    }
  };
  const raw = async (key: string): Promise<Buffer> => collected(await stage.store.get(key));
  /** Puts bytes of an attacker's choice in the store, past the seal. */
  const plant = async (key: string, bytes: Buffer): Promise<void> => {
    const file = join(spoolDir, 'planted');
    await writeFile(file, bytes);
    expect(await stage.store.put(key, file)).toBe('stored');
  };

  it.each([0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 3 * chunkBytes, 1_000_003])(
    'gives back %i bytes as they were',
    async (size) => {
      const bytes = randomBytes(size);
      await put(`size/${size}`, bytes);
      expect((await collected(objects.open(`size/${size}`, 'bank:AB'))).equals(bytes)).toBe(true);
      expect((await stage.store.head(`size/${size}`))?.size).toBeGreaterThan(size);
    },
  );

  it('says what is missing', async () => {
    expect(await stage.store.head('nothing/here')).toBeUndefined();
    await expect(stage.store.get('nothing/here')).rejects.toMatchObject({ code: 'ObjectMissing' });
    await expect(collected(objects.open('nothing/here', 'bank:AB'))).rejects.toMatchObject({ code: 'ObjectMissing' });
  });

  it('never overwrites: the same bytes are there already, others are refused', async () => {
    await put('once', Buffer.from('first'));
    const before = await raw('once');
    await put('once', Buffer.from('first'));
    await expect(put('once', Buffer.from('other'))).rejects.toMatchObject({ code: 'ObjectConflict' });
    expect((await raw('once')).equals(before)).toBe(true);
  });

  it('holds no plain bytes, neither in the store nor in the spool', async () => {
    const secret = 'DE89370400440532013000 MARIE MUSTERMANN';
    const arrived = await objects.receive('bank:AB', inParts(Buffer.from(secret.repeat(100)), 50), 1_000_000);
    expect((await readFile(arrived.file)).includes('MUSTERMANN')).toBe(false);
    await objects.keep('sealed', 'bank:AB', arrived);
    await arrived.discard();
    expect((await raw('sealed')).includes('MUSTERMANN')).toBe(false);
  });

  it('stops at the limit, and leaves nothing in the spool', async () => {
    await expect(objects.receive('bank:AB', inParts(Buffer.alloc(1_001), 100), 1_000)).rejects.toMatchObject({
      code: 'ObjectTooLarge',
    });
    expect((await readdir(spoolDir)).filter((name) => name.endsWith('.arriving'))).toEqual([]);
  });

  it.each(['../outside', '/etc/passwd', 'a/../b', 'a//b', '.hidden', ''])('refuses the key %j', async (key) => {
    await expect(put(key, Buffer.from('x'))).rejects.toMatchObject({ code: 'KeyInvalid' });
  });

  it('does not open what was changed, cut off, reordered, repeated, or belongs to another', async () => {
    await put('victim', randomBytes(3 * chunkBytes + 100));
    const sealed = await raw('victim');
    const begin = 10 + sealed.readUInt16BE(8);
    const step = chunkBytes + 16;
    const chunk = (n: number): Buffer => sealed.subarray(begin + n * step, begin + (n + 1) * step);
    const head = sealed.subarray(0, begin);
    const flipped = Buffer.from(sealed);
    flipped.writeUInt8(flipped.readUInt8(begin + 5) ^ 1, begin + 5);
    const touched: Record<string, Buffer> = {
      changed: flipped,
      'cut-in-a-chunk': sealed.subarray(0, -1),
      'cut-at-a-chunk': sealed.subarray(0, begin + 3 * step),
      'without-chunks': head,
      reordered: Buffer.concat([head, chunk(1), chunk(0), chunk(2), chunk(3)]),
      repeated: Buffer.concat([head, chunk(0), chunk(0), chunk(1), chunk(2), chunk(3)]),
      longer: Buffer.concat([sealed, Buffer.from('x')]),
      'other-header': Buffer.concat([head.subarray(0, -2), Buffer.from(' }'), sealed.subarray(begin)]),
      'no-envelope': Buffer.from('plain text'),
      empty: Buffer.alloc(0),
    };
    for (const [name, bytes] of Object.entries(touched)) {
      await plant(`touched/${name}`, bytes);
      await expect(collected(objects.open(`touched/${name}`, 'bank:AB')), name).rejects.toMatchObject({
        code: 'ObjectDamaged',
      });
    }
    await expect(collected(objects.open('victim', 'bank:OTHER'))).rejects.toMatchObject({ code: 'ObjectDamaged' });
  });
});
