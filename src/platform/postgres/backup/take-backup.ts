import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { readHead } from '../../../../eventstore/postgres/read-head.ts';
import { openDataFolder } from '../cluster-folder.ts';
import { archiveOf } from '../wal-archive.ts';
import { BackupError } from './backup-error.ts';
import { copyFile, type CopiedFile, listTree, needRoom, sizeOf, syncTree } from './copy-tree.ts';
import { type BackupManifest, clusterIn, writeManifest } from './manifest.ts';
import { isBetween, isSegment, isTimelineHistory } from './wal-segments.ts';

export interface TakeBackupOptions {
  /** A superuser of the running cluster, in the product's database. */
  readonly database: pg.ClientConfig;
  readonly dataDir: string;
  /** Made if it is not there; must be empty. */
  readonly to: string;
  readonly signal?: AbortSignal;
}

/**
 * Copies a running cluster, while it is written to: the low-level way of the manual
 * (https://www.postgresql.org/docs/18/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP). The copy alone can be restored to
 * the moment at which it was done; with the archive, to any later one.
 *
 * @throws BackupError; then nothing of it is left in the folder
 */
export async function takeBackup({ database, dataDir, to, signal }: TakeBackupOptions): Promise<BackupManifest> {
  const folder = await openDataFolder(dataDir);
  const made = await mkdir(to, { recursive: true, mode: 0o700 });
  if ((await readdir(to)).length > 0) throw new BackupError(`${to} is not empty: a backup needs a folder of its own`);
  const client = new pg.Client({ ...database, application_name: 'kora-backup' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await copyCluster(client, folder, to, signal);
  } catch (error) {
    // Only what we made: the folder was empty.
    for (const name of await readdir(to)) await rm(join(to, name), { recursive: true, force: true });
    if (made !== undefined) await rm(to, { recursive: true, force: true });
    throw error;
  } finally {
    // Ends the backup mode too, where it was not ended.
    await client.end().catch(() => undefined);
  }
}

async function copyCluster(
  client: pg.Client,
  folder: { readonly dataDir: string; readonly pgdata: string },
  to: string,
  signal: AbortSignal | undefined,
): Promise<BackupManifest> {
  const { pgdata } = folder;
  const target = clusterIn(to);
  await mkdir(target, { mode: 0o700 });
  const first = await one<{ started: Date; version: string }>(
    client,
    `select clock_timestamp() as started, current_setting('server_version') as version`,
  );
  await needRoom(to, await sizeOf(pgdata, await listTree(pgdata, isCopied)));
  // Keeps the write-ahead log that the copy needs, however long it takes. It goes with the connection.
  await client.query('select pg_create_physical_replication_slot($1, true, true)', [
    `kora_backup_${randomBytes(8).toString('hex')}`,
  ]);
  await client.query(`select pg_backup_start('kora', fast => true)`);
  const files: CopiedFile[] = [];
  const take = async (path: string): Promise<void> => {
    signal?.throwIfAborted();
    const copied = await copyFile(pgdata, target, path, signal);
    if (copied !== undefined) files.push(copied);
  };
  for (const { path, isFolder } of await listTree(pgdata, isCopied)) {
    if (isFolder) await mkdir(join(target, path), { recursive: true, mode: 0o700 });
    else await take(path);
  }
  const head = await readHead(client);
  const stopped = await one<{ label: string; tablespaces: string; last: string; finished: Date }>(
    client,
    `select s.labelfile as label, s.spcmapfile as tablespaces, pg_walfile_name(s.lsn) as last,
       clock_timestamp() as finished
     from pg_backup_stop(wait_for_archive => false) s`,
  );
  if (stopped.tablespaces.trim() !== '')
    throw new BackupError('a cluster with tablespaces cannot be backed up by kora');
  const firstSegment = /\(file ([0-9A-F]{24})\)/.exec(stopped.label)?.[1];
  if (firstSegment === undefined) throw new BackupError(`the label of the backup cannot be read: ${stopped.label}`);
  for (const name of await readdir(join(pgdata, 'pg_wal'))) {
    const isNeeded = isSegment(name) ? isBetween(name, firstSegment, stopped.last) : isTimelineHistory(name);
    if (isNeeded) await take(join('pg_wal', name));
  }
  checkSegments(files, firstSegment, stopped.last);
  await writeFile(join(target, 'backup_label'), stopped.label, { mode: 0o600 });
  files.push({
    path: 'backup_label',
    size: Buffer.byteLength(stopped.label),
    sha256: createHash('sha256').update(stopped.label).digest('hex'),
  });
  await syncTree(to);
  const archive = await archiveOf(folder);
  const manifest: BackupManifest = {
    format: 'kora-backup/1',
    postgresVersion: first.version,
    startedAt: first.started.toISOString(),
    finishedAt: stopped.finished.toISOString(),
    position: head === undefined ? 0 : head.position + head.count - 1,
    firstSegment,
    lastSegment: stopped.last,
    archive: archive ?? null,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    files,
  };
  await writeManifest(to, manifest);
  return manifest;
}

function checkSegments(files: readonly CopiedFile[], first: string, last: string): void {
  const had = new Set(files.map(({ path }) => path));
  for (const name of [first, last]) {
    if (!had.has(join('pg_wal', name)))
      throw new BackupError(`the write-ahead log ${name} was gone before it was copied`);
  }
}

/**
 * What belongs to this run of the server, or is made anew by the next one:
 * https://www.postgresql.org/docs/18/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP-DATA. Folders stay, empty.
 */
function isCopied(path: string): boolean {
  const [top = '', second] = path.split('/');
  if (['postmaster.pid', 'postmaster.opts', 'backup_label', 'tablespace_map', 'recovery.signal'].includes(path))
    return false;
  if (
    ['pg_dynshmem', 'pg_notify', 'pg_replslot', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans'].includes(top)
  )
    return second === undefined;
  if (top === 'pg_wal') return ['pg_wal', 'pg_wal/archive_status', 'pg_wal/summaries'].includes(path);
  return !/(^|\/)(pgsql_tmp|pg_internal\.init)/.test(path);
}

async function one<Row extends pg.QueryResultRow>(client: pg.Client, text: string): Promise<Row> {
  const { rows } = await client.query<Row>(text);
  if (rows[0] === undefined) throw new BackupError(`the server gave no answer to: ${text}`);
  return rows[0];
}
