import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrationSets } from '../../src/platform/migrations.ts';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { migrate } from '../../src/platform/postgres/migrate.ts';
import { createDataFolder, templateDatabase, testSettings, type TestClusterAddress } from './postgres.ts';

/**
 * One Postgres cluster for the whole run. It is started when the first test asks for a database, so a run of pure tests pays
 * nothing, and it belongs to the main process, which outlives the workers.
 *
 * @returns the teardown, which vitest also calls when tests fail
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
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
    await rm(socketPath, { force: true });
  };
}

async function startCluster(dataDir: string): Promise<EmbeddedPostgres> {
  const cluster = await openEmbeddedPostgres({ dataDir, role: 'instance', settings: testSettings });
  const admin = new pg.Client({ ...cluster.clientConfig, database: 'postgres' });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${templateDatabase}`);
  const template = new pg.Client({ ...cluster.clientConfig, database: templateDatabase });
  await template.connect();
  await migrate(template, migrationSets);
  await template.end();
  // Nobody may connect: a database with connections cannot be cloned.
  await admin.query(`ALTER DATABASE ${templateDatabase} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`);
  await admin.end();
  return cluster;
}
