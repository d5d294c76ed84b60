import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/** Whether disks can be mounted here: by root, and not in every container. */
export async function mayMount(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'kora-mount-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    await run('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}

export interface SmallDisk {
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
}

/** Mounts a disk of some megabytes on a folder; what is in the folder is on the disk then. */
export async function mountSmallDisk(folder: string, megabytes: number): Promise<SmallDisk> {
  const aside = mkdtempSync(join(tmpdir(), 'kora-aside-'));
  await run('cp', ['-a', `${folder}/.`, aside]);
  const { stdout } = await run('stat', ['-c', 'uid=%u,gid=%g,mode=%a', folder]);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,${stdout.trim()}`, 'tmpfs', folder]);
  // Lazily: whoever still has a file open there is about to end.
  onTestFinished(() => run('umount', ['--lazy', folder]).then(() => undefined));
  await run('cp', ['-a', `${aside}/.`, folder]);
  rmSync(aside, { recursive: true });
  // Not a name that Postgres takes for its own.
  const filler = join(folder, 'filler');
  return {
    fill() {
      const file = openSync(filler, 'w');
      try {
        // The last bytes too.
        for (let size = 1 << 20; size > 0;) {
          try {
            writeSync(file, Buffer.alloc(size));
          } catch {
            size >>= 1;
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
  };
}
