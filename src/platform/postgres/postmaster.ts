import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { PostgresBinaries } from './binaries.ts';
import {
  ignore,
  makeSocketFolder,
  port,
  prepareCluster,
  socketFolder,
  superuser,
  type ClusterFolder,
} from './cluster-folder.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { processExists } from './processes.ts';
import type { PostgresSettings } from './settings.ts';

export interface Postmaster {
  pid: number;
  socketFolder: string;
  /** It was already running; nobody here started it. */
  adopted: boolean;
}

/** After a crash Postgres first replays up to max_wal_size of its log. */
const startLimitMs = 5 * 60_000;
/** Backends of a killed postmaster may hold its shared memory for a moment. */
const retryLimitMs = 20_000;
const stopLimitMs = 2 * 60_000;
const pollMs = 25;
const logFileLimitBytes = 16 * 1024 ** 2;

/** What a start says that came too early after a kill. */
const worthRetrying =
  /pre-existing shared memory block|lock file .* already exists|could not bind|Address already in use/;

/**
 * Returns the running Postgres of the folder, or starts one, and waits until it answers. Call it with the folder locked.
 *
 * @throws EmbeddedPostgresError with the end of the server's log
 */
export async function startOrAdopt(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  settings: PostgresSettings,
): Promise<Postmaster> {
  const startedAt = performance.now();
  let ours: Launch | undefined;
  while (performance.now() - startedAt < startLimitMs) {
    const found = await findPostmaster(folder);
    if (found?.answer === 'ready') {
      return { pid: found.pid, socketFolder: found.socketFolder, adopted: ours === undefined };
    }
    if (ours?.ended === false || found?.isAlive === true || found?.answer === 'busy') {
      await sleep(pollMs);
      continue;
    }
    if (ours !== undefined) {
      const said = await ours.output();
      if (!worthRetrying.test(said) || performance.now() - startedAt > retryLimitMs) {
        throw new EmbeddedPostgresError(
          `Postgres did not start in ${folder.dataDir}. ${folder.logFile} ends with:\n${said}`,
        );
      }
      await sleep(250);
    }
    // A file whose process is gone is Postgres's own business. But the number may have gone to somebody else since (always, in
    // a restarted container), and Postgres would take any process of its user for a second postmaster.
    if (found !== undefined && processExists(found.pid)) await rm(postmasterFile(folder), { force: true });
    ours = await launch(folder, binaries, settings);
  }
  throw new EmbeddedPostgresError(
    `Postgres does not answer in ${folder.dataDir} after ${startLimitMs / 1000} s. ${folder.logFile} ends with:\n` +
      (await tail(folder.logFile, 0)),
  );
}

/**
 * Stops Postgres: clients are cut off, a checkpoint is written. Resolves when the process is gone, or when it takes unusually
 * long; then it goes on by itself, and a later start waits for it.
 */
export async function stopPostmaster(
  folder: ClusterFolder,
  pid: number,
  log: (message: string) => void,
): Promise<void> {
  // Seen from another container the number may be somebody else's.
  if (!(await isPostmaster(pid, folder))) {
    log(`Postgres of ${folder.dataDir} goes on: process ${pid} is not to be seen from here`);
    return;
  }
  process.kill(pid, 'SIGINT');
  const startedAt = performance.now();
  while (await isPostmaster(pid, folder)) {
    if (performance.now() - startedAt > stopLimitMs) {
      log(`Postgres of ${folder.dataDir} (process ${pid}) is still stopping after ${stopLimitMs / 1000} s`);
      return;
    }
    await sleep(pollMs);
  }
}

interface Launch {
  ended: boolean;
  /** What it printed so far, or the end of that. */
  output(): Promise<string>;
}

async function launch(folder: ClusterFolder, binaries: PostgresBinaries, settings: PostgresSettings): Promise<Launch> {
  const user = await prepareCluster(folder, binaries, settings);
  const sockets = await socketFolder(folder);
  await makeSocketFolder(sockets, user);
  const logStart = await rotateLog(folder.logFile);
  const logFd = openSync(folder.logFile, 'a', 0o600);
  const { program, args, options } = user.command(binaries.postgres, [
    ...['-D', folder.pgdata, '-p', String(port), '-k', sockets],
    ...['-c', 'listen_addresses=', '-c', 'unix_socket_permissions=0700'],
  ]);
  const result: Launch = { ended: false, output: () => tail(folder.logFile, logStart) };
  let child: ChildProcess;
  try {
    child = spawn(program, args, { ...options, stdio: ['ignore', logFd, logFd] });
  } finally {
    closeSync(logFd);
  }
  child.on('error', () => (result.ended = true));
  child.on('exit', () => (result.ended = true));
  child.unref();
  return result;
}

interface Found {
  pid: number;
  socketFolder: string;
  isAlive: boolean;
  answer: 'ready' | 'busy' | 'silent';
}

/** Whom postmaster.pid names, and what it says when asked. */
async function findPostmaster(folder: ClusterFolder): Promise<Found | undefined> {
  const text = await readFile(postmasterFile(folder), 'utf8').catch(ignore('ENOENT'));
  if (text === undefined) return undefined;
  // pid, data folder, start time, port, socket folder, …: https://www.postgresql.org/docs/18/storage-file-layout.html
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  const sockets = lines[4]?.trim() || (await socketFolder(folder));
  return { pid, socketFolder: sockets, isAlive: await isPostmaster(pid, folder), answer: await ask(sockets) };
}

function postmasterFile(folder: ClusterFolder): string {
  return join(folder.pgdata, 'postmaster.pid');
}

/** Whether the process is a postmaster of this folder, and not a zombie or somebody who got the number later. */
async function isPostmaster(pid: number, folder: ClusterFolder): Promise<boolean> {
  if (!(pid > 0)) return false;
  // Empty for a zombie.
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.split('\0').includes(folder.pgdata);
}

/** Only a connection proves that a server serves. */
async function ask(sockets: string): Promise<Found['answer']> {
  const client = new pg.Client({ ...clientConfig(sockets, 'postgres'), connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return 'ready';
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return 'silent';
    // Starting, recovering, stopping; or no answer yet.
    if (code === '57P03' || code === 'ECONNRESET' || code === 'EPIPE') return 'busy';
    if (code === undefined && /timeout|terminated/.test(String(error))) return 'busy';
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** How to reach the server. Everything is said: what is left out, pg would take from PGHOST and the like. */
export function clientConfig(sockets: string, database: string) {
  return { host: sockets, port, user: superuser, database, ssl: false } as const;
}

/** @returns the length that the file has now */
async function rotateLog(path: string): Promise<number> {
  const size = (await stat(path).catch(ignore('ENOENT')))?.size ?? 0;
  if (size < logFileLimitBytes) return size;
  await rename(path, `${path}.1`);
  return 0;
}

async function tail(path: string, from: number): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - 4000);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await handle.close();
  }
}
