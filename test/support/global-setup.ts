import { readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { prepareDatabase } from '../../src/modules.ts';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { processExists } from '../../src/platform/postgres/processes.ts';
import {
  createDataFolder,
  templateDatabase,
  testFolderPrefix,
  testSettings,
  type TestClusterAddress,
} from './postgres.ts';

/** Its databases die with the run: a power cut may have them. What proves durability has a cluster of its own. */
const sharedSettings = { ...testSettings, fsync: 'off' };

/**
 * One Postgres cluster for the whole run. It is started when the first test asks for a database, so a run of pure tests pays
 * nothing, and it belongs to the main process, which outlives the workers.
 *
 * @returns the teardown, which vitest also calls when tests fail
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftovers();
  const { dataDir, remove } = await createDataFolder();
  let starting: Promise<EmbeddedPostgres> | undefined;

  const server = createServer((socket) => {
    starting ??= startCluster(dataDir);
    starting.then(
      ({ clientConfig: { host, port, user } }) =>
        socket.end(JSON.stringify({ host, port, user } satisfies TestClusterAddress)),
      (error: unknown) => socket.end(JSON.stringify({ error: String(error) })),
    );
  });
  const socketPath = join(dataDir, '..', 'ask');
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  server.unref();
  project.provide('testClusterSocket', socketPath);

  return async () => {
    server.close();
    await starting?.then((cluster) => cluster.close());
    await remove();
  };
}

async function startCluster(dataDir: string): Promise<EmbeddedPostgres> {
  const cluster = await openEmbeddedPostgres({ dataDir, role: 'instance', settings: sharedSettings });
  const admin = new pg.Client({ ...cluster.clientConfig, database: 'postgres' });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${templateDatabase}`);
  const template = new pg.Client({ ...cluster.clientConfig, database: templateDatabase });
  await template.connect();
  await prepareDatabase(template);
  await template.end();
  // Nobody may connect: a database with connections cannot be cloned.
  await admin.query(`ALTER DATABASE ${templateDatabase} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`);
  await admin.end();
  return cluster;
}

/** The folders, and the servers in them, of runs that were killed before their teardown. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const maker = new RegExp(`^${testFolderPrefix}(\\d+)-`).exec(name)?.[1];
    if (maker === undefined || processExists(Number(maker))) continue;
    const folder = join(tmpdir(), name);
    for (const pid of await postmastersBelow(folder)) process.kill(pid, 'SIGQUIT');
    while ((await postmastersBelow(folder)).length > 0) await sleep(20);
    await rm(folder, { recursive: true, force: true });
  }
}

async function postmastersBelow(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commandLines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => commandLines[index]?.includes(`\0-D\0${folder}/`)).map(Number);
}
