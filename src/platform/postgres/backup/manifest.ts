import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../../durable-file.ts';
import { BackupError } from './backup-error.ts';
import type { CopiedFile } from './copy-tree.ts';

/** What a backup says of itself. It is written last: a folder that has it is a whole backup. */
export interface BackupManifest {
  readonly format: 'kora-backup/1';
  readonly postgresVersion: string;
  readonly startedAt: string;
  /** By the server's clock. The backup cannot be restored to an earlier time. */
  readonly finishedAt: string;
  /** The log reaches at least so far in it; it cannot be restored to an earlier position. 0: an empty log. */
  readonly position: number;
  /** The write-ahead log that is in the backup and that it needs. */
  readonly firstSegment: string;
  readonly lastSegment: string;
  /** The archive that goes on from there, if there was one. */
  readonly archive: { readonly folder: string; readonly id: string } | null;
  readonly bytes: number;
  readonly files: readonly CopiedFile[];
}

const manifestFile = 'kora-backup.json';

/** The copy of the cluster. */
export function clusterIn(backup: string): string {
  return join(backup, 'postgres');
}

export async function writeManifest(backup: string, manifest: BackupManifest): Promise<void> {
  await writeDurably(join(backup, manifestFile), `${JSON.stringify(manifest)}\n`, 0o600);
}

/** @throws BackupError where there is no whole backup */
export async function readManifest(backup: string): Promise<BackupManifest> {
  let manifest: Partial<BackupManifest>;
  try {
    manifest = JSON.parse(await readFile(join(backup, manifestFile), 'utf8')) as Partial<BackupManifest>;
  } catch (cause) {
    throw new BackupError(`${backup} holds no whole backup: it has no ${manifestFile} that can be read`, { cause });
  }
  if (manifest.format !== 'kora-backup/1') {
    throw new BackupError(`${backup} was made by another kora: its format is not kora-backup/1`);
  }
  return manifest as BackupManifest;
}
