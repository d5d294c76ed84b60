import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { ClusterFolder } from './cluster-folder.ts';
import { EmbeddedPostgresError } from './errors.ts';
import type { ServerUser } from './server-user.ts';
import { ignore } from './system-errors.ts';

/** Only names the socket; nothing listens on TCP. */
export const port = 5432;

/** `sun_path` holds 108 bytes, the last of them zero. */
const socketPathLimitBytes = 107;

/**
 * The folder of the Unix socket: below the data folder, unless that makes the path longer than a socket address can be. Then it
 * is a short one under the folder for temporary files. Its name is kept in the data folder, because the next process may have
 * another TMPDIR.
 */
export async function socketFolder(folder: ClusterFolder): Promise<string> {
  const below = join(folder.dataDir, 'postgres.socket');
  if (Buffer.byteLength(socketPath(below)) <= socketPathLimitBytes) return below;
  const record = join(folder.dataDir, 'postgres.socket-folder');
  const name = `kora-${createHash('sha256').update(folder.dataDir).digest('hex').slice(0, 16)}`;
  const kept = (await readFile(record, 'utf8').catch(ignore('ENOENT')))?.trim();
  // Unless the data folder is a copy, and this the socket of the original.
  if (kept !== undefined && basename(kept) === name) return kept;
  const short = join(tmpdir(), name);
  if (Buffer.byteLength(socketPath(short)) > socketPathLimitBytes) {
    throw new EmbeddedPostgresError(
      `no room for a socket: the paths ${folder.dataDir} and ${tmpdir()} are both too long`,
    );
  }
  await writeFile(record, `${short}\n`);
  return short;
}

/** Where the server says who listens on the socket. */
export function socketLockFile(folder: string): string {
  return `${socketPath(folder)}.lock`;
}

function socketPath(folder: string): string {
  return join(folder, `.s.PGSQL.${port}`);
}

/** Makes the folder of the socket, which only the server's user (and root) may enter. */
export async function makeSocketFolder(path: string, user: ServerUser): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch(ignore('EEXIST'));
  const { uid, mode } = await lstat(path);
  const isPrivate = (mode & 0o170077) === 0o040000;
  if (isPrivate && uid === process.getuid?.()) {
    // New, or left by a start that was killed here.
    await user.own(path);
  } else if (!isPrivate || uid !== user.uid) {
    throw new EmbeddedPostgresError(
      `${path} is not a private folder of the user who runs Postgres: remove it and start again`,
    );
  }
}

/** Leaves nothing behind outside the data folder. */
export async function removeSocketFolder(folder: ClusterFolder): Promise<void> {
  const path = await socketFolder(folder);
  if (dirname(path) !== folder.dataDir) await rmdir(path).catch(() => undefined);
}
