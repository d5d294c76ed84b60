import pg from 'pg';
import { expect, test } from 'vitest';
import { violations } from '../../eventstore/testing/histories.ts';
import { migrationSets } from '../../src/platform/migrations.ts';
import { migrate } from '../../src/platform/postgres/migrate.ts';
import { createTestCluster } from '../support/postgres.ts';
import { logDatabase } from './support/log-database.ts';
import { DeciderProcess, FollowerProcess } from './support/processes.ts';
import { until } from './support/until.ts';

/** Proves that writers and readers outlive their Postgres: what was acknowledged is in the log, once, and all go on by themselves. */
test('Postgres is shut down, and killed, under load', async ({ onTestFinished }) => {
  const { cluster, stop } = await createTestCluster();
  onTestFinished(stop);
  const client = new pg.Client(cluster.clientConfig);
  await client.connect();
  await migrate(client, migrationSets);
  await client.end();

  const config = cluster.clientConfig;
  const writers = ['p', 'q'].map(
    (name, seed) =>
      new DeciderProcess({
        config,
        name,
        seed,
        streams: ['a/1', 'b/1', `own/${name}`],
        underWayMax: 20,
        unitsMax: 50_000,
      }),
  );
  const follower = new FollowerProcess(config);
  // Fast shutdown; immediate shutdown, as a crash; the postmaster killed.
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    await Promise.all(writers.map((writer) => writer.untilCommitted(writer.committed + 40)));
    const before = cluster.postmasterPid;
    process.kill(before, signal);
    await until(() => cluster.postmasterPid !== before);
  }
  await Promise.all(writers.map((writer) => writer.untilCommitted(writer.committed + 40)));
  await Promise.all(writers.map((writer) => writer.finish()));

  for (const writer of writers)
    expect(writer.lines.filter((line) => typeof line.trouble === 'string').length).toBeGreaterThan(0);
  const database = await logDatabase(config);
  const units = await database.units();
  expect(violations(units, new Map(writers.flatMap((writer) => [...writer.outcomes])))).toEqual([]);
  expect(
    writers
      .flatMap((writer) => [...writer.outcomes.values()])
      .filter((told) => typeof told !== 'object' || told.outcome === 'failed'),
  ).toEqual([]);
  expect(await database.findings()).toEqual([]);
  await follower.untilPosition(units.at(-1)?.lastPosition ?? 0);
  await follower.finish();
  expect(follower.units.map(({ position, lastPosition }) => [position, lastPosition])).toEqual(
    units.map(({ position, lastPosition }) => [position, lastPosition]),
  );
  expect(follower.troubles.filter(({ code }) => code === 'LogCorrupted')).toEqual([]);
});
