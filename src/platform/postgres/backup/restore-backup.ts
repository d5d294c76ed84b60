import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { syncPath } from '../../durable-file.ts';
import { findBinaries, type PostgresBinaries } from '../binaries.ts';
import { type ClusterFolder, giveToServer, openDataFolder, productDatabase } from '../cluster-folder.ts';
import { EmbeddedPostgresError } from '../errors.ts';
import { lockFolder } from '../folder-lock.ts';
import { clientConfig, startOrAdopt, stopPostmaster } from '../postmaster.ts';
import { type PostgresSettings, serverSettings } from '../settings.ts';
import { ignore } from '../system-errors.ts';
import { archiveIdIn, restoreCommand } from '../wal-archive.ts';
import { BackupError } from './backup-error.ts';
import { copyFile, listTree, needRoom } from './copy-tree.ts';
import { type BackupManifest, clusterIn, readManifest } from './manifest.ts';
import { firstMissing } from './wal-segments.ts';

export type RestoreTarget =
  | { readonly to: 'latest' }
  /** By when Postgres committed, inclusive: ISO 8601 with a zone. */
  | { readonly to: 'time'; readonly time: string }
  /** The commit that holds this position is the last one. */
  | { readonly to: 'position'; readonly position: number };

export interface RestoreOptions {
  readonly from: string;
  /** Made if it is not there; must be empty. */
  readonly dataDir: string;
  /** Default: the archive that the backup names, if it is still there. */
  readonly archiveDir?: string | undefined;
  readonly target: RestoreTarget;
  readonly settings?: PostgresSettings;
  readonly signal?: AbortSignal;
  readonly log?: (message: string) => void;
}

export interface Restored {
  readonly manifest: BackupManifest;
  readonly archive: string | undefined;
  /** The archive has later segments, but not this one: no history after it could be restored. */
  readonly missingSegment: string | undefined;
}

const day = 24 * 3_600_000;

/**
 * Makes a data folder of a backup, and lets Postgres go on from there with the archive to a point in time. The cluster is then
 * stopped, whole, on a timeline of its own, and archives nothing.
 *
 * @throws BackupError where that point cannot be reached. Then the folder is as it was
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { from, target, log = () => undefined, archiveDir, settings } = options;
  const manifest = await readManifest(from);
  checkTarget(target, manifest);
  const archive = await archiveFor(manifest, archiveDir);
  const missingSegment = archive && firstMissing(manifest.lastSegment, await readdir(archive));
  const binaries = findBinaries();
  const names = await readdir(options.dataDir).catch(ignore('ENOENT'));
  checkEmpty(options.dataDir, names ?? []);
  const folder = await openDataFolder(options.dataDir);
  const lock = await lockFolder(folder.dataDir, 60_000, log);
  try {
    // Once more, now that nobody else can begin here: what fails from now on removes everything in the folder.
    const others = await readdir(folder.dataDir);
    checkEmpty(
      folder.dataDir,
      others.filter((name) => name !== 'postgres.lock'),
    );
  } catch (error) {
    lock.release();
    throw error;
  }
  const recovery = new Recovery({
    folder,
    binaries,
    from,
    manifest,
    archive,
    missingSegment,
    settings,
    signal: options.signal,
    log,
  });
  try {
    if (target.to === 'time') await recovery.run({ recovery_target_time: postgresTime(target.time) });
    else await recovery.run({});
    if (target.to === 'position') await recovery.runTo(target.position);
    await recovery.stop();
    return { manifest, archive, missingSegment };
  } catch (error) {
    await recovery.stop();
    for (const name of await readdir(folder.dataDir))
      await rm(join(folder.dataDir, name), { recursive: true, force: true });
    if (names === undefined) await rm(folder.dataDir, { recursive: true, force: true });
    throw error;
  } finally {
    lock.release();
  }
}

function checkEmpty(dataDir: string, names: readonly string[]): void {
  if (names.length === 0) return;
  throw new BackupError(`${dataDir} is not empty: a backup is never restored over something that is there`);
}

function checkTarget(target: RestoreTarget, { finishedAt, position }: BackupManifest): void {
  if (target.to === 'time' && Date.parse(target.time) < Date.parse(finishedAt)) {
    throw new BackupError(
      `this backup was done at ${finishedAt}, and cannot be restored to ${target.time}: take an earlier one`,
    );
  }
  if (target.to === 'position' && target.position < position) {
    throw new BackupError(
      `this backup reaches to position ${position}, and cannot be restored to ${target.position}: take an earlier one`,
    );
  }
}

/** As a setting: when it is read, Postgres does not know yet that Z is a time zone. */
function postgresTime(iso: string): string {
  return new Date(iso).toISOString().replace('T', ' ').replace('Z', '+00');
}

async function archiveFor(manifest: BackupManifest, wanted: string | undefined): Promise<string | undefined> {
  const named = wanted === undefined ? manifest.archive?.folder : resolve(wanted);
  if (named === undefined) return undefined;
  const id = await archiveIdIn(named);
  if (id === undefined) throw new BackupError(`${named} is no archive of kora: say where it is with --archive-dir`);
  if (manifest.archive !== null && id !== manifest.archive.id) {
    throw new BackupError(`the archive ${named} is not the one that goes on from this backup`);
  }
  return named;
}

interface RecoveryOptions {
  readonly folder: ClusterFolder;
  readonly binaries: PostgresBinaries;
  readonly from: string;
  readonly manifest: BackupManifest;
  readonly archive: string | undefined;
  readonly missingSegment: string | undefined;
  readonly settings: PostgresSettings | undefined;
  readonly signal: AbortSignal | undefined;
  readonly log: (message: string) => void;
}

/** One backup on its way to a point in time. */
class Recovery {
  readonly #is: RecoveryOptions;
  #running: { readonly pid: number; readonly socketFolder: string } | undefined;

  constructor(is: RecoveryOptions) {
    this.#is = is;
  }

  /** Copies the backup, and lets Postgres read the archive until it reaches the target and takes new writes. */
  async run(target: PostgresSettings): Promise<void> {
    const { folder, binaries, archive, settings, log } = this.#is;
    await this.#copy();
    log(`reading ${archive ?? 'no archive'}`);
    const recovering = serverSettings({
      ...settings,
      archive_mode: 'off',
      // Nobody is let in before the target is reached.
      hot_standby: 'off',
      restore_command: restoreCommand(archive),
      recovery_target_action: 'promote',
      ...target,
    });
    try {
      this.#running = await startOrAdopt(folder, binaries, recovering, day);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Called when everything is there: finds the commit, and goes there once more. */
  async runTo(position: number): Promise<void> {
    const found = await this.#commitOf(position);
    if (found.isLast) return;
    await this.stop();
    await rm(this.#is.folder.pgdata, { recursive: true, force: true });
    // By its transaction, which is exact: appends commit one after another, in the order of their positions.
    await this.run({ recovery_target_xid: found.xid });
    const again = await this.#commitOf(position);
    if (!again.isLast) throw new BackupError(`position ${position} was passed: the backup itself holds later commits`);
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) await stopPostmaster(this.#is.folder, running.pid, this.#is.log);
  }

  async #copy(): Promise<void> {
    const { folder, from, manifest, signal, log } = this.#is;
    await needRoom(folder.dataDir, manifest.bytes);
    log(`copying ${from}`);
    const source = clusterIn(from);
    const draft = join(folder.dataDir, 'postgres.restored');
    await mkdir(draft, { mode: 0o700 });
    for (const { path, isFolder } of await listTree(source, () => true)) {
      if (isFolder) await mkdir(join(draft, path), { recursive: true, mode: 0o700 });
    }
    for (const { path, sha256 } of manifest.files) {
      signal?.throwIfAborted();
      const copied = await copyFile(source, draft, path, signal);
      if (copied === undefined) throw new BackupError(`the backup is damaged: ${join(source, path)} is missing`);
      if (copied.sha256 !== sha256) {
        throw new BackupError(`the backup is damaged: ${join(source, path)} is not what was copied`);
      }
    }
    await writeFile(join(draft, 'recovery.signal'), '', { mode: 0o600 });
    await giveToServer(folder);
    // Postgres brings all of it to the disk before it recovers, because the copy is of a running server.
    await rename(draft, folder.pgdata);
    await syncPath(dirname(folder.pgdata));
  }

  async #commitOf(position: number): Promise<{ readonly xid: string; readonly isLast: boolean }> {
    if (this.#running === undefined) throw new BackupError('Postgres does not run');
    const client = new pg.Client(clientConfig(this.#running.socketFolder, productDatabase));
    await client.connect();
    try {
      const { rows } = await client.query<{ end: string; xid: string; last: string }>(
        `select c.position + c.count - 1 as end, c.xmin::text as xid,
           (select position + count - 1 from eventstore.commits order by position desc limit 1) as last
         from eventstore.commits c where c.position <= $1 order by c.position desc limit 1`,
        [position],
      );
      const [found] = rows;
      if (found === undefined || Number(found.end) < position) {
        const reason = this.#missing() ?? 'there is nothing after it';
        throw new BackupError(
          `position ${position} cannot be reached: history ends at position ${found?.last ?? 0}; ${reason}`,
        );
      }
      return { xid: found.xid, isLast: found.end === found.last };
    } finally {
      await client.end();
    }
  }

  #missing(): string | undefined {
    const { archive, missingSegment } = this.#is;
    return missingSegment && `the segment ${missingSegment} is missing in the archive ${archive ?? ''}`;
  }

  #explained(error: unknown): unknown {
    if (!(error instanceof EmbeddedPostgresError)) return error;
    const said = error.message;
    if (said.includes('before consistent recovery point')) {
      return new BackupError('that point lies before the end of this backup: take an earlier one', { cause: error });
    }
    if (!said.includes('recovery ended before configured recovery target was reached')) return error;
    const last = /last completed transaction was at log time ([^\n]+)/.exec(said)?.[1];
    const until = last === undefined ? 'to the end of the backup and no further' : `up to ${last}`;
    return new BackupError(
      `that point was not reached: history could be read ${until}; ${this.#missing() ?? 'the archive has nothing after it (--to latest takes what is there)'}`,
      { cause: error },
    );
  }
}
