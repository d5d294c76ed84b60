import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { PostgresBinaries } from './binaries.ts';
import { prepareCluster, superuser, type ClusterFolder } from './cluster-folder.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { processExists } from './processes.ts';
import type { PostgresSettings } from './settings.ts';
import { makeSocketFolder, port, removeSocketFolder, socketFolder, socketLockFile } from './socket-folder.ts';
import { codeOf, ignore } from './system-errors.ts';

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
const retryDelayMs = 250;
const stopLimitMs = 2 * 60_000;
const pollMs = 25;
const logFileLimitBytes = 16 * 1024 ** 2;

/** What a start says that came too early after a kill. */
const worthRetrying =
  /pre-existing shared memory block|lock file .* already exists|could not bind|Address already in use/;

/**
 * Returns the running Postgres of the folder, or starts one, and waits until it answers. Call it with the folder locked.
 *
 * @param limitMs how long it may take to recover; default 5 minutes
 * @throws EmbeddedPostgresError with the end of the server's log
 */
export async function startOrAdopt(
  folder: ClusterFolder,
  binaries: PostgresBinaries,
  settings: PostgresSettings,
  limitMs = startLimitMs,
): Promise<Postmaster> {
  const startedAt = performance.now();
  let launched: Launch | undefined;
  for (;;) {
    const running = await adopt(folder, limitMs);
    if (running !== undefined) return { ...running, adopted: launched === undefined };
    // It has not written its postmaster.pid yet.
    if (launched?.ending === 'none' && performance.now() - startedAt < limitMs) {
      await sleep(pollMs);
      continue;
    }
    if (launched !== undefined) {
      const said = await launched.output();
      const mayWork = launched.ending === 'stopped' || worthRetrying.test(said);
      if (!mayWork || performance.now() - startedAt > retryLimitMs) {
        throw new EmbeddedPostgresError(
          `Postgres did not start in ${folder.dataDir}. ${folder.logFile} ends with:\n${said}`,
        );
      }
      await sleep(retryDelayMs);
    }
    launched = await launch(folder, binaries, settings);
  }
}

/**
 * The Postgres that runs in the folder, whoever started it; undefined when none does. Waits while it starts, recovers or stops.
 */
export async function adopt(folder: ClusterFolder, limitMs = startLimitMs): Promise<Postmaster | undefined> {
  const startedAt = performance.now();
  do {
    const found = await findPostmaster(folder);
    if (found === undefined || found.state === 'gone') return undefined;
    if (found.state === 'ready') return { pid: found.pid, socketFolder: found.socketFolder, adopted: true };
    await sleep(pollMs);
  } while (performance.now() - startedAt < limitMs);
  throw new EmbeddedPostgresError(
    `Postgres in ${folder.dataDir} runs, but does not answer for ${limitMs / 1000} s. ${folder.logFile} ends with:\n` +
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
  await removeSocketFolder(folder);
}

interface Launch {
  /** `stopped`: somebody asked it to. */
  ending: 'none' | 'stopped' | 'failed';
  /** What it printed so far, or the end of that. */
  output(): Promise<string>;
}

async function launch(folder: ClusterFolder, binaries: PostgresBinaries, settings: PostgresSettings): Promise<Launch> {
  const user = await prepareCluster(folder, binaries, settings);
  const sockets = await socketFolder(folder);
  await makeSocketFolder(sockets, user);
  await removeMisleadingFiles(folder, sockets);
  const logStart = await rotateLog(folder.logFile);
  const logFd = openSync(folder.logFile, 'a', 0o600);
  const { program, args, options } = user.command(binaries.postgres, [
    ...['-D', folder.pgdata, '-p', String(port)],
    // A list, so a comma in the path needs the quotes.
    ...['-k', `"${sockets.replaceAll('"', '""')}"`],
    ...['-c', 'listen_addresses=', '-c', 'unix_socket_permissions=0700'],
  ]);
  const result: Launch = { ending: 'none', output: () => tail(folder.logFile, logStart) };
  let child: ChildProcess;
  try {
    child = spawn(program, args, { ...options, stdio: ['ignore', logFd, logFd] });
  } finally {
    closeSync(logFd);
  }
  child.on('error', () => (result.ending = 'failed'));
  child.on('exit', (exitCode) => (result.ending = exitCode === 0 ? 'stopped' : 'failed'));
  child.unref();
  return result;
}

interface Found {
  pid: number;
  socketFolder: string;
  state: 'ready' | 'busy' | 'gone';
}

/** Whom postmaster.pid names, and how it is. */
async function findPostmaster(folder: ClusterFolder): Promise<Found | undefined> {
  const text = await readFile(postmasterFile(folder), 'utf8').catch(ignore('ENOENT'));
  if (text === undefined) return undefined;
  // pid, data folder, start time, port, socket folder, address, memory key, state (since PostgreSQL 10)
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  const sockets = lines[4] || (await socketFolder(folder));
  const isAlive = await isPostmaster(pid, folder);
  if (isAlive && lines[7]?.trim() !== 'ready') return { pid, socketFolder: sockets, state: 'busy' };
  // Also when the process is not to be seen: it may run in another container.
  const state = await ask(sockets);
  return { pid, socketFolder: sockets, state: state === 'gone' && isAlive ? 'busy' : state };
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

/**
 * A lock file of Postgres whose process is gone is Postgres's own business. But the number may have gone to somebody else since
 * (always, in a restarted container), or belong to a zombie: Postgres would take that for a second postmaster.
 */
async function removeMisleadingFiles(folder: ClusterFolder, sockets: string): Promise<void> {
  for (const path of [postmasterFile(folder), socketLockFile(sockets)]) {
    const text = await readFile(path, 'utf8').catch(ignore('ENOENT'));
    if (text === undefined) continue;
    const pid = Number.parseInt(text);
    if (processExists(pid) && !(await isPostmaster(pid, folder))) await rm(path);
  }
}

/** Only a connection proves that a server serves. */
async function ask(sockets: string): Promise<Found['state']> {
  const client = new pg.Client({ ...clientConfig(sockets, 'postgres'), connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return 'ready';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return 'gone';
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
