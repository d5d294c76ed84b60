import { describe, expect, test } from 'vitest';
import type { StreamId } from '../../eventstore/index.ts';
import type { Told } from '../../eventstore/testing/histories.ts';
import { violations } from '../../eventstore/testing/histories.ts';
import type { LogDatabase } from './support/log-database.ts';
import { logDatabase } from './support/log-database.ts';
import { DeciderProcess, FollowerProcess } from './support/processes.ts';

/**
 * Proves on real processes that write to one log at once: every unit stands on what it was decided on, what was told is what
 * is in the log, and a reader that follows sees each unit once, whole, in order, with no position missing.
 */
describe('several processes on one log', () => {
  test('shared and own streams, and a process that follows', async () => {
    const database = await logDatabase();
    const follower = new FollowerProcess(database.config);
    const writers = ['p', 'q', 'r'].map((name, seed) =>
      startDecider(database, { name, seed, streams: ['a/1', 'b/1', `own/${name}1`, `own/${name}2`, `own/${name}3`] }),
    );
    await Promise.all(writers.map((writer) => writer.untilCommitted(150)));
    await Promise.all(writers.map((writer) => writer.finish()));
    await expectSerializable(database, writers);
    await expectFollowed(database, follower);
    // It was a race: each of them lost some units to the others.
    for (const writer of writers) expect([...writer.outcomes.values()].filter(isStale).length).toBeGreaterThan(0);
  });

  test('two writers that race on one stream: every version has one writer', async () => {
    const database = await logDatabase();
    const writers = ['p', 'q'].map((name, seed) =>
      startDecider(database, { name, seed, streams: ['hot/1'], underWayMax: 3 }),
    );
    await Promise.all(writers.map((writer) => writer.untilCommitted(60)));
    await Promise.all(writers.map((writer) => writer.finish()));
    await expectSerializable(database, writers);
    const rows = (await database.units()).flatMap((unit) => unit.rows.filter((row) => row.stream === 'hot/1'));
    let version = 0;
    for (const row of rows) {
      expect(row.version).toBe(version + 1);
      version += row.events.length;
    }
    for (const writer of writers) expect([...writer.outcomes.values()].filter(isStale).length).toBeGreaterThan(0);
  });

  test('a writer that is stopped (SIGSTOP) under load holds up nobody, and finishes right when it goes on', async () => {
    const database = await logDatabase();
    const stopped = startDecider(database, { name: 'stopped', seed: 1, streams: ['a/1', 'b/1', 'own/s'] });
    const others = ['q', 'r'].map((name, seed) =>
      startDecider(database, { name, seed, streams: ['a/1', 'b/1', `own/${name}`] }),
    );
    const follower = new FollowerProcess(database.config);
    for (let round = 1; round <= 5; round++) {
      const before = stopped.committed;
      await stopped.untilCommitted(before + 10);
      stopped.kill('SIGSTOP');
      await Promise.all(others.map((other) => other.untilCommitted(other.committed + 30)));
      stopped.kill('SIGCONT');
    }
    await Promise.all([stopped, ...others].map((writer) => writer.finish()));
    await expectSerializable(database, [stopped, ...others]);
    await expectFollowed(database, follower);
  });

  test('a writer that is killed (SIGKILL) under load: what it was told is in the log, the rest is whole or absent', async () => {
    const database = await logDatabase();
    const other = startDecider(database, { name: 'other', seed: 7, streams: ['a/1', 'own/o'] });
    const follower = new FollowerProcess(database.config);
    const killed: DeciderProcess[] = [];
    for (let round = 0; round < 3; round++) {
      const writer = startDecider(database, {
        name: `killed${round}`,
        seed: round,
        streams: ['a/1', 'b/1', 'c/1'],
        underWayMax: 30,
      });
      killed.push(writer);
      await writer.untilCommitted(30 + round * 17);
      writer.kill('SIGKILL');
      await writer.ended;
    }
    await other.untilCommitted(other.committed + 20);
    await other.finish();
    await expectSerializable(database, [other, ...killed]);
    await expectFollowed(database, follower);
  });
});

function startDecider(
  database: LogDatabase,
  options: { name: string; seed: number; streams: readonly StreamId[]; underWayMax?: number },
): DeciderProcess {
  return new DeciderProcess({ config: database.config, underWayMax: 10, unitsMax: 20_000, ...options });
}

async function expectSerializable(database: LogDatabase, writers: readonly DeciderProcess[]): Promise<void> {
  const outcomes = new Map<string, Told>(writers.flatMap((writer) => [...writer.outcomes]));
  expect(violations(await database.units(), outcomes)).toEqual([]);
  expect(await database.findings()).toEqual([]);
}

async function expectFollowed(database: LogDatabase, follower: FollowerProcess): Promise<void> {
  const units = await database.units();
  await follower.untilPosition(units.at(-1)?.lastPosition ?? 0);
  await follower.finish();
  expect(follower.units).toEqual(
    units.map(({ id, position, lastPosition }) => ({
      id,
      position,
      lastPosition,
      events: lastPosition - position + 1,
    })),
  );
}

function isStale(told: Told): boolean {
  return typeof told === 'object' && told.outcome === 'stale';
}
