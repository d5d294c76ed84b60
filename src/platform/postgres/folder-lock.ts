import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './errors.ts';

export interface FolderLock {
  release(): void;
}

/** How `flock` is asked to report that it ran out of time, apart from its other failures. */
const timedOutExitCode = 75;

/**
 * Takes the lock under which a Postgres of this data folder is created, started, adopted or stopped, so that openers and
 * closers in several processes go one at a time.
 *
 * Node cannot call flock(2). util-linux's `flock` can, on a descriptor that it inherits: the lock then belongs to the open file
 * that we share with it and outlives the helper. The kernel lets go of it when this process ends, however it ends, so there is
 * no stale lock to judge; and it sits on the file, so containers that share the folder exclude each other too (an abstract
 * socket would not, and any local user could squat on its name).
 *
 * @param timeoutMs how long to wait for the holder; rounded up to seconds
 * @param log told when the wait gets long
 */
export async function lockFolder(
  dataDir: string,
  timeoutMs: number,
  log: (message: string) => void,
): Promise<FolderLock> {
  const path = join(dataDir, 'postgres.lock');
  // Never inherited by Postgres: Node opens files close-on-exec.
  const fd = openSync(path, 'a+', 0o600);
  const holder = () => `process ${readFileSync(path, 'utf8').trim() || '(unknown)'}`;
  const patience = setTimeout(
    () => log(`waiting for ${holder()}, which starts or stops the Postgres of ${dataDir}`),
    3000,
  );
  try {
    const outcome = await flock(fd, Math.ceil(timeoutMs / 1000));
    if (outcome === 'timeout') {
      throw new EmbeddedPostgresError(
        `${holder()} has been starting or stopping the Postgres of ${dataDir} ` +
          `for more than ${Math.ceil(timeoutMs / 1000)} s; if it hangs, end it and try again`,
      );
    }
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`);
  } catch (error) {
    closeSync(fd);
    throw error;
  } finally {
    clearTimeout(patience);
  }
  let held = true;
  return {
    release() {
      if (held) closeSync(fd);
      held = false;
    },
  };
}

function flock(fd: number, timeoutS: number): Promise<'locked' | 'timeout'> {
  return new Promise((resolve, reject) => {
    // Detached: a Ctrl-C in the terminal must not end the helper while we wait in it.
    const helper = spawn('flock', ['-x', '-w', String(timeoutS), '-E', String(timedOutExitCode), '3'], {
      stdio: ['ignore', 'ignore', 'pipe', fd],
      detached: true,
    });
    let stderr = '';
    helper.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    helper.on('error', (cause) =>
      reject(
        new EmbeddedPostgresError(
          'the embedded Postgres needs the program flock (util-linux): install it, or set DATABASE_URL',
          {
            cause,
          },
        ),
      ),
    );
    helper.on('close', (exitCode, signal) => {
      if (exitCode === 0) resolve('locked');
      else if (exitCode === timedOutExitCode) resolve('timeout');
      else reject(new EmbeddedPostgresError(`flock failed (${signal ?? exitCode ?? 'unknown'}): ${stderr.trim()}`));
    });
  });
}
