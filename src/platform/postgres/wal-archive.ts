import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { writeDurably } from '../durable-file.ts';
import type { PostgresBinaries } from './binaries.ts';
import type { ClusterFolder } from './cluster-folder.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { run } from './processes.ts';
import { chooseServerUser, serverIdentity } from './server-user.ts';
import type { PostgresSettings } from './settings.ts';
import { ignore } from './system-errors.ts';

/** Where a cluster's write-ahead log is archived. Kept in the data folder, so that whoever starts the server archives. */
export interface WalArchive {
  /** Absolute. */
  readonly folder: string;
  /** Stands in the archive too. A restored cluster has none: its history is another one, and it needs another archive. */
  readonly id: string;
}

/** Turns archiving off, said in the place of a folder. */
export const noArchive = 'off';

const archiveMark = 'kora-archive';

function recordOf({ dataDir }: Pick<ClusterFolder, 'dataDir'>): string {
  return join(dataDir, 'postgres.archive');
}

/** The archive that this data folder's cluster has; undefined: it archives nothing. */
export async function archiveOf(folder: Pick<ClusterFolder, 'dataDir'>): Promise<WalArchive | undefined> {
  const text = await readFile(recordOf(folder), 'utf8').catch(ignore('ENOENT'));
  return text === undefined ? undefined : (JSON.parse(text) as WalArchive);
}

/** The id of the archive in a folder; undefined where there is none. */
export async function archiveIdIn(folder: string): Promise<string | undefined> {
  return (await readFile(join(folder, archiveMark), 'utf8').catch(ignore('ENOENT')))?.trim();
}

/**
 * Makes a folder the archive of this cluster, or ends archiving. Call it with the data folder locked.
 *
 * @param wanted a path, or `off`
 * @throws EmbeddedPostgresError where the folder belongs to another history, or the server's user cannot write there
 */
export async function chooseArchive(folder: ClusterFolder, binaries: PostgresBinaries, wanted: string): Promise<void> {
  if (wanted === noArchive) return rm(recordOf(folder), { force: true });
  const path = resolve(wanted);
  if (/[\n\r\0]/.test(path)) throw new EmbeddedPostgresError('the path of an archive cannot have line breaks in it');
  const known = await archiveOf(folder);
  const { uid, gid } = await stat(folder.pgdata);
  const user = await chooseServerUser(await serverIdentity({ uid, gid }), binaries, folder.pgdata);
  const isNew = (await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined;
  if (isNew) await user.own(path);
  const script = ': > "$1/.kora-tries" && rm "$1/.kora-tries"';
  const tried = await run(user.command('/bin/sh', ['-c', script, 'sh', path]));
  if (tried.exitCode !== 0) {
    throw new EmbeddedPostgresError(
      `the user who runs Postgres (id ${user.uid}) cannot write to the archive ${path}: ${tried.stderr.trim()}`,
    );
  }
  const found = await archiveIdIn(path);
  const isOurs = known !== undefined && found === known.id;
  if (!isOurs && (found !== undefined || (await readdir(path)).length > 0)) {
    throw new EmbeddedPostgresError(
      `${path} is not empty, and not the archive of this data folder: ` +
        'another kora, or the one that this was restored from, has its history there. Give an empty folder',
    );
  }
  const id = isOurs ? known.id : randomUUID();
  if (!isOurs) {
    await writeDurably(join(path, archiveMark), `${id}\n`);
  }
  if (known?.folder === path && isOurs) return;
  await writeDurably(recordOf(folder), `${JSON.stringify({ folder: path, id } satisfies WalArchive)}\n`);
}

/** What the server is told. A segment that is not full is archived after a minute in which something was written. */
export function archiveSettings(archive: WalArchive | undefined): PostgresSettings {
  if (archive === undefined) return {};
  return { archive_mode: 'on', archive_command: archiveCommand(archive.folder), archive_timeout: '60s' };
}

/**
 * The segment appears in the archive whole and on the disk, or not at all; one that is there already has to be the same,
 * byte for byte. Whatever else happens, Postgres keeps the segment and tries again.
 */
export function archiveCommand(folder: string): string {
  return [
    `d=${shellWord(folder)}`,
    // The rest of a segment that was not full is zeros: holes on the disk.
    'if test ! -e "$d/%f"; then cp --sparse=always "%p" "$d/.%f.part" && sync "$d/.%f.part" && ln "$d/.%f.part" "$d/%f" || exit 1; fi',
    'cmp "%p" "$d/%f" && rm -f "$d/.%f.part" && sync "$d"',
  ].join('; ');
}

/** A segment that is not there is the end of the archive; one that cannot be read stops the recovery. */
export function restoreCommand(folder: string | undefined): string {
  if (folder === undefined) return 'false';
  return `d=${shellWord(folder)}; test -e "$d/%f" || exit 1; cp "$d/%f" "%p" || exit 200`;
}

/** A word of the shell in a setting in which Postgres replaces `%` and a letter. */
function shellWord(path: string): string {
  if (!isAbsolute(path)) throw new Error(`${path} is not absolute`);
  return `'${path.replaceAll("'", `'\\''`).replaceAll('%', '%%')}'`;
}
