import { randomBytes } from 'node:crypto';
import {
  appendFile,
  chown,
  lchown,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { postgresMajor, type PostgresBinaries } from './binaries.ts';
import { syncPath } from '../durable-file.ts';
import { ignore } from './system-errors.ts';
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

/** The database that kora keeps its tables in. */
export const productDatabase = 'kora';

/** The database superuser. The folder that holds the socket is what keeps others out. */
export const superuser = 'kora';

const initPrefix = 'postgres.initdb-';

/** Makes the data folder if need be; only its owner may enter it. */
export async function openDataFolder(dataDir: string): Promise<ClusterFolder> {
  await mkdir(dirname(dataDir), { recursive: true });
  await mkdir(dataDir, { mode: 0o700 }).catch(ignore('EEXIST'));
  // Postgres knows the folder by one name, whichever link led us here.
  const real = await realpath(dataDir);
  return { dataDir: real, pgdata: join(real, 'postgres'), logFile: join(real, 'postgres.log') };
}

/** Makes the cluster if there is none. Call it with the folder locked. */
export async function createClusterIfMissing(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  log: (message: string) => void,
): Promise<void> {
  await removeUnfinished(folder);
  if ((await ownerOf(folder.pgdata)) !== undefined) return;
  log(`creating a database in ${folder.dataDir}`);
  await createCluster(folder, binaries, await giveToServer(folder));
}

/** Root hands over a folder that holds nothing but our own files, so that no capability is needed to enter it. */
export async function giveToServer(folder: ClusterFolder): Promise<Identity | undefined> {
  const dataDir = await ownerOf(folder.dataDir);
  const identity = await serverIdentity(dataDir);
  if (identity !== undefined && dataDir?.uid === 0) {
    const entries = await readdir(folder.dataDir);
    if (entries.every((name) => name.startsWith('postgres.'))) await chown(folder.dataDir, identity.uid, identity.gid);
  }
  return identity;
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
  // Complete from the first moment on which it has its name.
  await rename(draft, folder.pgdata);
  await syncPath(folder.dataDir);
}

/**
 * Makes an existing cluster ready for a start: writes the settings, and finds the user that may run it. Call it with the folder
 * locked and no server running.
 */
export async function prepareCluster(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  settings: PostgresSettings,
): Promise<ServerUser> {
  await checkVersion(folder);
  const owner = await ownerOf(folder.pgdata);
  const identity = await serverIdentity(owner);
  // Restored from a backup by root, say. Never through a link, which could lead anywhere.
  if (identity !== undefined && owner?.uid === 0 && (await lstat(folder.pgdata)).isDirectory()) {
    await chownTree(folder.pgdata, identity);
  }
  const user = await chooseServerUser(identity, binaries, folder.pgdata);
  await writeSettings(folder, settings, user, fingerprint(settings, binaries));
  return user;
}

async function chownTree(path: string, { uid, gid }: Identity): Promise<void> {
  for (const entry of await readdir(path, { recursive: true })) await lchown(join(path, entry), uid, gid);
  await lchown(path, uid, gid);
}

async function checkVersion(folder: ClusterFolder): Promise<void> {
  const version = (await readFile(join(folder.pgdata, 'PG_VERSION'), 'utf8').catch(ignore('ENOENT')))?.trim();
  if (version === undefined) {
    // Never make an empty one in the place of one that was there.
    throw new EmbeddedPostgresError(
      `${folder.pgdata} holds no database: restore it from a backup, or use another --data-dir`,
    );
  }
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

async function ownerOf(path: string): Promise<Identity | undefined> {
  const stats = await stat(path).catch(ignore('ENOENT'));
  return stats && { uid: stats.uid, gid: stats.gid };
}
