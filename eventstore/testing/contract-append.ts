import { describe, expect, test } from 'vitest';
import type { Append, StreamId } from '../event-log.ts';
import { append } from '../event-log.ts';
import type { Contract } from './harness.ts';
import { anywhere, collect, committed, event, exact, nextTurn, submitted, unitOf } from './samples.ts';

/** Units are whole or absent, and expected versions are a fence that one of several rivals passes. */
export function appendContract({ start, needs }: Contract): void {
  describe('appending', () => {
    test('of several streams all are written or none', async () => {
      const { log } = await start();
      const { lastPosition } = await committed(log, unitOf([exact('b/1', 0)]));
      const refused = await append(log, unitOf([exact('a/1', 0), exact('b/1', 0), anywhere('system/s')]));
      expect(refused).toEqual({ outcome: 'stale', stream: 'b/1', expected: 0, actual: 1 });
      expect(await log.lastPosition()).toBe(lastPosition);
      expect(await log.readLast(['a/1', 'system/s'])).toEqual(new Map());
      // What was refused left no trace on the fence either.
      await committed(log, unitOf([exact('a/1', 0), exact('b/1', 1), anywhere('system/s')]));
      expect((await log.readLast(['system/s'])).get('system/s')?.version).toBe(1);
    });

    test('a unit whose absent stream exists is stale there, and nothing of it is written', async () => {
      const { log } = await start();
      await committed(log, unitOf([exact('b/1', 0, 3)]));
      const refused = await append(log, { ...unitOf([exact('a/1', 0), anywhere('system/s')]), absent: ['c/1', 'b/1'] });
      expect(refused).toEqual({ outcome: 'stale', stream: 'b/1', expected: 0, actual: 3 });
      expect(await log.readLast(['a/1', 'system/s', 'c/1'])).toEqual(new Map());
    });

    test('an absent stream stays absent: looking at it leaves nothing, and it can be opened later', async () => {
      const { log } = await start();
      for (const id of [1, 2, 3]) await committed(log, { ...unitOf([exact(`a/${id}`, 0)]), absent: ['c/1'] });
      await committed(log, unitOf([exact('c/1', 0)]));
      const units = await collect(log.readAll(0));
      expect(units.flatMap(({ rows }) => rows.map(({ stream }) => stream))).toEqual(['a/1', 'a/2', 'a/3', 'c/1']);
    });

    test('absent beside create in one process: whoever comes first', async () => {
      const { log } = await start();
      const outcomes = await Promise.all([
        submitted(log, { ...unitOf([exact('a/1', 0)]), absent: ['c/1'] }),
        submitted(log, { ...unitOf([exact('c/1', 0)]), absent: ['d/1'] }),
        submitted(log, { ...unitOf([exact('a/2', 0)]), absent: ['c/1'] }),
        submitted(log, { ...unitOf([exact('c/1', 1)]) }),
      ]);
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['committed', 'committed', 'stale', 'committed']);
      expect(outcomes[2]).toMatchObject({ stream: 'c/1', expected: 0 });
    });

    needs('atomicAbsence', 'of two processes that each want the other one absent, one wins', async () => {
      const { log, harness } = await start();
      const other = harness.open();
      for (let round = 0; round < 20; round++) {
        const outcomes = await Promise.all([
          append(log, { ...unitOf([exact(`a/${round}`, 0)]), absent: [`b/${round}`] }),
          append(other, { ...unitOf([exact(`b/${round}`, 0)]), absent: [`a/${round}`] }),
        ]);
        expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['committed', 'stale']);
      }
    });

    test('create beside create in two processes: exactly one wins, loudly', async () => {
      const { log, harness } = await start();
      const results = await Promise.all(
        [log, harness.open(), harness.open()].map((one, index) => append(one, unitOf([exact('a/1', 0)], `${index}`))),
      );
      expect(results.map((result) => result.outcome).sort()).toEqual(['committed', 'stale', 'stale']);
      for (const result of results) {
        if (result.outcome === 'stale') expect(result).toMatchObject({ stream: 'a/1', expected: 0, actual: 1 });
      }
      const winner = results.findIndex((result) => result.outcome === 'committed');
      expect((await collect(log.readAll(0))).map((unit) => unit.id)).toEqual([`${winner}`]);
    });

    test('create beside create in one process: the first wins, loudly', async () => {
      const { log } = await start();
      const [first, second] = await Promise.all([
        append(log, unitOf([exact('a/1', 0), exact('b/1', 0)])),
        append(log, unitOf([exact('a/1', 0), exact('c/1', 0)])),
      ]);
      expect(first).toMatchObject({ outcome: 'committed' });
      expect(second).toEqual({ outcome: 'stale', stream: 'a/1', expected: 0, actual: 1 });
      expect(await log.readLast(['c/1'])).toEqual(new Map());
    });

    test('update beside update of many processes on one stream: each version has one writer', async () => {
      const { log, harness } = await start();
      const logs = [log, harness.open(), harness.open(), harness.open()];
      const won = await Promise.all(
        logs.map(async (one) => {
          let version = 0;
          let won = 0;
          while (won < 5) {
            const result = await append(one, unitOf([exact('a/1', version)]));
            if (result.outcome === 'committed') {
              won += 1;
              version += 1;
            } else if (result.outcome === 'stale') {
              expect(result.actual).toBeGreaterThan(version);
              version = result.actual ?? 0;
            } else throw new Error(result.outcome);
          }
          return won;
        }),
      );
      expect(won).toEqual([5, 5, 5, 5]);
      expect((await collect(log.readStream('a/1'))).map((row) => row.version)).toEqual(
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
    });

    test('a version behind and a version ahead are both stale', async () => {
      const { log } = await start();
      const { lastPosition } = await committed(log, unitOf([exact('a/1', 0, 3)]));
      for (const expected of [0, 1, 2, 4, 1_000, Number.MAX_SAFE_INTEGER]) {
        expect(await append(log, unitOf([exact('a/1', expected)]))).toEqual({
          outcome: 'stale',
          stream: 'a/1',
          expected,
          actual: 3,
        });
      }
      expect(await append(log, unitOf([exact('missing/1', 1)]))).toMatchObject({ outcome: 'stale', actual: 0 });
      expect(await log.lastPosition()).toBe(lastPosition);
    });

    test('unconstrained streams never make a unit stale, however many append to them at once', async () => {
      const { log, harness } = await start();
      const logs = [log, harness.open(), harness.open()];
      const results = await Promise.all(
        Array.from({ length: 300 }, (_, index) =>
          append(
            logs[index % 3] ?? log,
            unitOf([exact(`a/${index}`, 0), anywhere('system/fees', 1 + (index % 3)), anywhere(`system/${index % 2}`)]),
          ),
        ),
      );
      expect(new Set(results.map((result) => result.outcome))).toEqual(new Set(['committed']));
      let version = 0;
      let position = 0;
      for await (const row of log.readStream('system/fees')) {
        expect(row.version).toBe(version + 1);
        expect(row.position).toBeGreaterThan(position);
        version += row.events.length;
        position = row.position;
      }
      expect(version).toBe(600);
      expect((await log.readLast(['system/0'])).get('system/0')?.version).toBe(150);
    });

    test('a unit of unconstrained streams only stands on nothing and is never refused', async () => {
      const { log, harness } = await start();
      await append(harness.open(), unitOf([exact('a/1', 0)]));
      const results = await Promise.all([
        submitted(log, unitOf([anywhere('system/s')])),
        submitted(log, unitOf([exact('a/1', 0), anywhere('system/s')])),
        submitted(log, unitOf([anywhere('system/s'), anywhere('system/t')])),
      ]);
      expect(results.map((result) => result.outcome)).toEqual(['committed', 'stale', 'committed']);
      expect((await collect(log.readStream('system/s'))).map((row) => row.version)).toEqual([1, 2]);
    });

    test('a refused unit does not take along units that share only unconstrained streams with it', async () => {
      const { log, harness } = await start();
      await append(harness.open(), unitOf([exact('a/1', 0)]));
      const results = await Promise.all([
        submitted(log, unitOf([exact('a/1', 0), anywhere('system/s')])),
        submitted(log, unitOf([exact('b/1', 0), anywhere('system/s')])),
      ]);
      expect(results.map((result) => result.outcome)).toEqual(['stale', 'committed']);
    });

    test.each([
      ['one stream', [{ stream: 'big/1', expect: 0, events: sizable(10_000) }]],
      ['10,000 streams', sizable(10_000).map((one, index) => ({ stream: `big/${index}`, expect: 0, events: [one] }))],
    ] satisfies [string, Append[]][])('a unit of 10,000 events on %s is whole or absent', async (_, appends) => {
      const { log, harness } = await start();
      const lastStream = appends.at(-1)?.stream as StreamId;
      const guard = await committed(log, unitOf([exact('guard/1', 0)]));
      const absent = await append(log, unitOf([...appends, exact('guard/1', 0)]));
      expect(absent).toMatchObject({ outcome: 'stale', stream: 'guard/1' });
      expect(await log.lastPosition()).toBe(guard.lastPosition);
      expect(await log.readLast([lastStream])).toEqual(new Map());

      const { position, lastPosition } = await committed(log, unitOf([...appends, exact('guard/1', 1)], 'whole'));
      expect(lastPosition - position).toBeGreaterThanOrEqual(10_000);
      const [, unit, ...more] = await collect(harness.open().readAll(0));
      expect(more).toEqual([]);
      expect(unit).toMatchObject({ id: 'whole', position, lastPosition });
      expect(unit?.rows).toHaveLength(appends.length + 1);
      expect(unit?.rows.flatMap((row) => row.events)).toHaveLength(10_001);
      expect(unit?.rows.at(-2)?.events.at(-1)?.data).toMatchObject({ index: 9_999 });
      expect((await log.readLast([lastStream])).size).toBe(1);
    });

    test('more units wait than the log is told to hold: further ones are overloaded, until it has caught up', async () => {
      const { log } = await start({ batchLimits: { waitingUnitsMax: 3 } });
      const told: string[] = [];
      const results = ['a/1', 'a/2', 'a/3', 'a/4', 'a/5'].map((stream) =>
        log.submit(unitOf([exact(stream as StreamId, 0)]), (result) => told.push(`${stream} ${result.outcome}`)),
      );
      expect(results).toEqual(['queued', 'queued', 'queued', 'overloaded', 'overloaded']);
      while (told.length < 3) await nextTurn();
      expect(told.sort()).toEqual(['a/1 committed', 'a/2 committed', 'a/3 committed']);
      expect(await append(log, unitOf([exact('a/4', 0)]))).toMatchObject({ outcome: 'committed' });
      expect(await log.readLast(['a/5'])).toEqual(new Map());
    });

    needs('densePositions', 'many units at once are committed in the order in which they were handed in', async () => {
      const { log } = await start({ batchLimits: { batchUnitsMax: 7 } });
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, index) => append(log, unitOf([exact(`a/${index}`, 0), anywhere('system/s')]))),
      );
      expect(results.map((result) => (result.outcome === 'committed' ? result.position : result.outcome))).toEqual(
        Array.from({ length: 100 }, (_, index) => index * 2 + 1),
      );
    });

    test('recorded time never goes back', async () => {
      const { log, harness } = await start();
      const other = harness.open();
      for (let version = 0; version < 10; version++) {
        await append(version % 2 === 0 ? log : other, unitOf([exact('a/1', version)]));
      }
      const times = (await collect(log.readAll(0))).map((unit) => unit.recordedAt.getTime());
      expect(times).toEqual([...times].sort((a, b) => a - b));
    });
  });
}

/** Events of a lifelike size. */
function sizable(count: number) {
  return Array.from({ length: count }, (_, index) => event({ index, text: 'x'.repeat(200) }));
}
