import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run } from '../processes.ts';
import { codeOf } from '../system-errors.ts';
import { BackupError } from './backup-error.ts';

export interface CopiedFile {
  /** Below the cluster's folder. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface TreeEntry {
  readonly path: string;
  readonly isFolder: boolean;
}

/** Everything below a folder, folders before what is in them. What vanishes meanwhile is left out. */
export async function listTree(root: string, isWanted: (path: string) => boolean): Promise<TreeEntry[]> {
  const found: TreeEntry[] = [];
  const visit = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(ifVanished([]));
    for (const entry of entries) {
      const path = relative(root, join(folder, entry.name));
      if (!isWanted(path)) continue;
      if (entry.isDirectory()) {
        found.push({ path, isFolder: true });
        await visit(join(folder, entry.name));
      } else if (entry.isFile()) found.push({ path, isFolder: false });
      else throw new BackupError(`${join(folder, entry.name)} is no file and no folder: it cannot be backed up`);
    }
  };
  await visit(root);
  return found;
}

export async function sizeOf(root: string, entries: readonly TreeEntry[]): Promise<number> {
  let bytes = 0;
  for (const { path, isFolder } of entries) {
    if (!isFolder) bytes += await stat(join(root, path)).then(({ size }) => size, ifVanished(0));
  }
  return bytes;
}

/** @throws BackupError where a folder has no room for so much, and a little more */
export async function needRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const [free, needed] = [bavail * bsize, Math.ceil(bytes * 1.05)];
  if (free >= needed) return;
  const mebibytes = (of: number): string => `${Math.ceil(of / 1024 ** 2)} MiB`;
  throw new BackupError(`${folder} has ${mebibytes(free)} left, and ${mebibytes(needed)} are needed`);
}

/** Copies a file as it is read. Undefined: it vanished before it was opened. */
export async function copyFile(
  from: string,
  to: string,
  path: string,
  signal?: AbortSignal,
): Promise<CopiedFile | undefined> {
  const hash = createHash('sha256');
  let size = 0;
  const watched = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  // Opened first: what has vanished leaves no empty file behind.
  const source = await open(join(from, path), 'r').catch(ifVanished(undefined));
  if (source === undefined) return undefined;
  const target = join(to, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const sink = createWriteStream(target, { mode: 0o600, flags: 'wx' });
  await pipeline(source.createReadStream(), watched, sink, { ...(signal && { signal }) });
  return { path, size, sha256: hash.digest('hex') };
}

/** Brings a whole file system to its disk: one call in the place of one for each of a thousand files. */
export async function syncTree(folder: string): Promise<void> {
  const { exitCode, stderr } = await run({ program: 'sync', args: ['-f', folder], options: {} });
  if (exitCode !== 0) throw new BackupError(`${folder} cannot be brought to the disk: ${stderr.trim()}`);
}

function ifVanished<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    return value;
  };
}
