import { createHash, randomBytes } from 'node:crypto';
import {
  appendFile,
  chown,
  lchown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { postgresMajor, type PostgresBinaries } from './binaries.ts';
import { run } from './processes.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { fingerprint, fingerprintSetting, renderSettings, type PostgresSettings } from './settings.ts';
import { chooseServerUser, serverIdentity, type Identity, type ServerUser } from './server-user.ts';

/** Where the parts of a data folder are. All paths are absolute and free of symbolic links. */
export interface ClusterFolder {
  dataDir: string;
  /** PGDATA. It exists only when it is complete. */
  pgdata: string;
  /** What the server prints. */
  logFile: string;
}

/** The database superuser. The folder that holds the socket is what keeps others out. */
export const superuser = 'kora';

/** Only names the socket; nothing listens on TCP. */
export const port = 5432;

/** `sun_path` holds 108 bytes, the last of them zero. */
const socketPathLimitBytes = 107;

const initPrefix = 'postgres.initdb-';

/** Makes the data folder if need be; only its owner may enter it. */
export async function openDataFolder(dataDir: string): Promise<ClusterFolder> {
  await mkdir(dirname(dataDir), { recursive: true });
  await mkdir(dataDir, { mode: 0o700 }).catch(ignore('EEXIST'));
  // Postgres knows the folder by one name, whichever link led us here.
  const real = await realpath(dataDir);
  return { dataDir: real, pgdata: join(real, 'postgres'), logFile: join(real, 'postgres.log') };
}

/**
 * Makes the folder ready for a start: creates the cluster at the first time, writes the settings, and finds the user that may
 * run it. Call it with the folder locked and no server running.
 */
export async function prepareCluster(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  settings: PostgresSettings,
): Promise<ServerUser> {
  await removeUnfinished(folder);
  const cluster = await statOwner(folder.pgdata);
  const identity = await serverIdentity(cluster ?? (await statOwner(folder.dataDir)));
  if (identity !== undefined) await giveFolder(folder, identity, cluster);
  if (cluster === undefined) await createCluster(folder, binaries, identity);
  await checkVersion(folder);
  const user = await chooseServerUser(identity, binaries, folder.pgdata);
  await writeSettings(folder, settings, user, fingerprint(settings, binaries.root));
  return user;
}

/** Root hands over a folder that holds nothing but our own files, so that no capability is needed to enter it. */
async function giveFolder(folder: ClusterFolder, identity: Identity, cluster: Identity | undefined): Promise<void> {
  const entries = await readdir(folder.dataDir);
  const isOurs = cluster === undefined && entries.every((name) => name.startsWith('postgres.'));
  if (isOurs) await chown(folder.dataDir, identity.uid, identity.gid);
  // Restored from a backup by root, say.
  if (cluster?.uid === 0) await chownTree(folder.pgdata, identity);
}

async function chownTree(path: string, { uid, gid }: Identity): Promise<void> {
  for (const entry of await readdir(path, { recursive: true })) await lchown(join(path, entry), uid, gid);
  await lchown(path, uid, gid);
}

/** What a kill in the middle of initdb left behind. Its initdb may still be writing: then the next start removes the rest. */
async function removeUnfinished(folder: ClusterFolder): Promise<void> {
  for (const name of await readdir(folder.dataDir)) {
    if (!name.startsWith(initPrefix)) continue;
    await rm(join(folder.dataDir, name), { recursive: true, force: true, maxRetries: 3 }).catch(ignore('ENOTEMPTY'));
  }
}

async function createCluster(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  identity: Identity | undefined,
): Promise<void> {
  const draft = join(folder.dataDir, `${initPrefix}${randomBytes(4).toString('hex')}`);
  await mkdir(draft, { mode: 0o700 });
  if (identity !== undefined) await chown(draft, identity.uid, identity.gid);
  const user = await chooseServerUser(identity, binaries, draft);
  const { exitCode, signal, stdout, stderr } = await run(
    user.command(binaries.initdb, [
      `--pgdata=${draft}`,
      `--username=${superuser}`,
      // The mode of the socket's folder is the lock on the door.
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      // Sorts by code point on every machine, and still knows the case of letters.
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--data-checksums',
    ]),
  );
  if (exitCode !== 0) {
    throw new EmbeddedPostgresError(
      `initdb failed in ${draft} (${signal ?? exitCode ?? 'unknown'}):\n${stdout}${stderr}`,
    );
  }
  await appendFile(join(draft, 'postgresql.conf'), "\ninclude 'kora.conf'\n");
  await syncPath(join(draft, 'postgresql.conf'));
  await syncPath(draft);
  await rename(draft, folder.pgdata);
  await syncPath(folder.dataDir);
}

async function checkVersion(folder: ClusterFolder): Promise<void> {
  const version = (await readFile(join(folder.pgdata, 'PG_VERSION'), 'utf8')).trim();
  if (version !== String(postgresMajor)) {
    throw new EmbeddedPostgresError(
      `${folder.pgdata} was made by PostgreSQL ${version}; this kora has ${postgresMajor}: use the kora that made it, or another --data-dir`,
    );
  }
}

async function writeSettings(
  folder: ClusterFolder,
  settings: PostgresSettings,
  user: ServerUser,
  mark: string,
): Promise<void> {
  const path = join(folder.pgdata, 'kora.conf');
  await writeFile(`${path}.new`, renderSettings({ ...settings, [fingerprintSetting]: mark }), { mode: 0o600 });
  await user.own(`${path}.new`);
  await rename(`${path}.new`, path);
}

/**
 * The folder of the Unix socket: below the data folder, unless that makes the path longer than a socket address can be. Then it
 * is a short one under the folder for temporary files. Its name is kept in the data folder, because the next process may have
 * another TMPDIR.
 */
export async function socketFolder(folder: ClusterFolder): Promise<string> {
  const below = join(folder.dataDir, 'postgres.socket');
  if (Buffer.byteLength(socketPath(below)) <= socketPathLimitBytes) return below;
  const record = join(folder.dataDir, 'postgres.socket-folder');
  const kept = await readFile(record, 'utf8').catch(ignore('ENOENT'));
  if (kept !== undefined) return kept.trim();
  const hash = createHash('sha256').update(folder.dataDir).digest('hex').slice(0, 16);
  const short = join(tmpdir(), `kora-${hash}`);
  if (Buffer.byteLength(socketPath(short)) > socketPathLimitBytes) {
    throw new EmbeddedPostgresError(
      `no room for a socket: the paths ${folder.dataDir} and ${tmpdir()} are both too long`,
    );
  }
  await writeFile(record, `${short}\n`);
  return short;
}

export function socketPath(folder: string): string {
  return join(folder, `.s.PGSQL.${port}`);
}

/** Makes the folder of the socket, which only the server's user (and root) may enter. */
export async function makeSocketFolder(path: string, user: ServerUser): Promise<void> {
  const made = await mkdir(path, { mode: 0o700 }).then(() => true, ignore('EEXIST'));
  if (made === true) await user.own(path);
  const { uid, mode } = await lstat(path);
  const isPrivate = (mode & 0o170077) === 0o040000;
  if (!isPrivate || uid !== user.uid) {
    throw new EmbeddedPostgresError(
      `${path} is not a private folder of the user who runs Postgres: remove it and start again`,
    );
  }
}

async function statOwner(path: string): Promise<Identity | undefined> {
  const stats = await lstat(path).catch(ignore('ENOENT'));
  return stats && { uid: stats.uid, gid: stats.gid };
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

/** For `.catch`: swallows the one expected error. */
export function ignore(code: string): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof Error) || (error as NodeJS.ErrnoException).code !== code) throw error;
  };
}
