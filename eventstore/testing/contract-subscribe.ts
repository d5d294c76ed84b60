import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { EventLog, RecordedUnit, StreamId } from '../event-log.ts';
import { append } from '../event-log.ts';
import type { Contract } from './harness.ts';
import type { Committed } from './samples.ts';
import { anywhere, collect, committed, event, exact, followed, nextTurn, sampleMeta, unitOf } from './samples.ts';

/** A follower sees every unit once, in order, whole, whoever appends it and whenever it comes. */
export function subscribeContract({ start }: Contract): void {
  describe('following', () => {
    test('catches up and goes on live, with no seam and no repetition, while several processes append', async () => {
      const { log, harness } = await start();
      const foreign = harness.open();
      await appendMany(log, 'before', 50);
      const following = followed(log, 0, 250);
      const elsewhere = followed(harness.open(), 0, 250);
      await Promise.all([
        appendMany(log, 'own', 50),
        appendMany(foreign, 'foreign', 50),
        // One at a time, so that local and foreign commits take turns.
        (async () => {
          for (let index = 0; index < 50; index++) await appendMany(index % 2 ? log : foreign, `turn-${index}`, 2);
        })(),
      ]);
      expectWhole(await following);
      expect(await following).toEqual(await collect(log.readAll(0)));
      expect(await elsewhere).toEqual(await following);
    });

    test('many followers at different positions each see what comes after theirs', async () => {
      const { log } = await start();
      const before = await appendMany(log, 'before', 30);
      const starts = [0, ...before.map(({ lastPosition }) => lastPosition)];
      const followers = starts.map((after, index) => followed(log, after, 60 - index));
      await appendMany(log, 'after', 30);
      const all = await collect(log.readAll(0));
      for (const [index, follower] of followers.entries()) {
        expect(await follower).toEqual(all.slice(index));
      }
    });

    test('a slow follower misses nothing', async () => {
      const { log, harness } = await start();
      const stop = new AbortController();
      const seen: RecordedUnit[] = [];
      const slow = (async () => {
        for await (const unit of log.subscribe(0, stop.signal)) {
          seen.push(unit);
          await nextTurn();
          if (seen.length === 1_000) stop.abort();
        }
      })();
      const foreign = harness.open();
      for (let round = 0; round < 10; round++) {
        await Promise.all([appendMany(log, `own-${round}`, 50), appendMany(foreign, `foreign-${round}`, 50)]);
      }
      await slow;
      expectWhole(seen);
      expect(seen).toEqual(await collect(log.readAll(0)));
    });

    test('begins with the unit that holds the position after the given one', async () => {
      const { log, harness } = await start();
      const [one, two] = await appendMany(log, 'a', 2);
      if (one === undefined || two === undefined) throw new Error('two were appended');
      // From memory, and from the store by a log that has nothing in memory yet.
      for (const reader of [log, harness.open()]) {
        for (const after of [0, one.position, one.lastPosition - 1]) {
          expect((await followed(reader, after, 1))[0]?.position).toBe(one.position);
        }
        for (const after of [one.lastPosition, two.position, two.lastPosition - 1]) {
          expect((await followed(reader, after, 1))[0]?.position).toBe(two.position);
        }
      }
    });

    test('live units are as they are read later: the same events, meta, versions and times', async () => {
      const { log } = await start();
      const live = followed(log, 0, 1);
      const data = { amount: '170141183460469231731687303715884105728', text: '漢😀\u2028', list: [1, null, {}] };
      await append(log, {
        id: 'one',
        appends: [{ stream: 'a/1', expect: 0, events: [event(data), event({})] }, anywhere('system/s', 2)],
        meta: { ...sampleMeta, effectiveAt: '2026-02-27T00:00:00.000Z' },
      });
      expect(await live).toStrictEqual(await collect(log.readAll(0)));
    });

    test('ends when its signal aborts: before it began, between two units, and while it waits', async () => {
      const { log } = await start();
      const appended = await appendMany(log, 'a', 3);
      expect(await collect(log.subscribe(0, AbortSignal.abort()))).toEqual([]);

      const between = new AbortController();
      const seen: number[] = [];
      for await (const unit of log.subscribe(0, between.signal)) {
        seen.push(unit.position);
        if (seen.length === 2) between.abort();
      }
      expect(seen).toEqual(appended.slice(0, 2).map(({ position }) => position));

      const waiting = new AbortController();
      const reader = log.subscribe(appended[2]?.lastPosition ?? 0, waiting.signal)[Symbol.asyncIterator]();
      const next = reader.next();
      await nextTurn();
      waiting.abort();
      expect(await next).toEqual({ done: true, value: undefined });
    });

    test('a follower that breaks off leaves the others alone', async () => {
      const { log } = await start();
      const others = [followed(log, 0, 10), followed(log, 0, 10)];
      await appendMany(log, 'a', 5);
      let seen = 0;
      for await (const _ of log.subscribe(0, new AbortController().signal)) if ((seen += 1) === 2) break;
      await appendMany(log, 'b', 5);
      for (const other of others) expectWhole(await other);
    });

    test('a follower from beyond the end waits for the log to get there, and troubles nobody', async () => {
      const { log } = await start();
      const [first] = await appendMany(log, 'a', 1);
      if (first === undefined) throw new Error('one was appended');
      // About two units further on, whatever numbers this store counts by.
      const step = first.lastPosition + 3 * (first.lastPosition - first.position);
      const beyond = followed(log, step, 1);
      const others = followed(log, 0, 6);
      await nextTurn();
      for (let round = 0; round < 5; round++) await appendMany(log, `b-${round}`, 1);
      expectWhole(await others);
      expect((await beyond)[0]?.lastPosition).toBeGreaterThan(step);
    });

    test('a follower ends when its log is closed', async () => {
      const { log } = await start();
      await appendMany(log, 'a', 2);
      const caughtUp = Promise.withResolvers<undefined>();
      let seen = 0;
      const following = (async () => {
        for await (const _ of log.subscribe(0, new AbortController().signal))
          if ((seen += 1) === 2) caughtUp.resolve(undefined);
      })();
      await caughtUp.promise;
      await log.close();
      await following;
      expect(seen).toBe(2);
    });

    test('followers leave nothing behind on a signal that outlives them', async () => {
      const { log } = await start();
      const { signal } = new AbortController();
      let after = 0;
      for (let round = 0; round < 20; round++) {
        const following = log.subscribe(after, signal)[Symbol.asyncIterator]();
        const next = following.next();
        const [unit] = await appendMany(log, `a-${round}`, 1);
        expect((await next).value).toMatchObject({ position: unit?.position });
        await following.return?.();
        after = unit?.lastPosition ?? 0;
      }
      expect(getEventListeners(signal, 'abort').length).toBe(0);
    });
  });
}

/** `count` units of three events each, all handed in at once. */
function appendMany(log: EventLog, name: string, count: number): Promise<Committed[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const stream: StreamId = `${name}/${index}`;
      return committed(log, unitOf([exact(stream, 0, 2), anywhere('system/s')]));
    }),
  );
}

/** Each unit is whole and comes after the one before; the one stream that all have in common tells if one is missing. */
function expectWhole(units: readonly RecordedUnit[]): void {
  let position = 0;
  for (const [index, unit] of units.entries()) {
    expect(unit.position).toBeGreaterThan(position);
    expect(unit.rows.map((row) => row.events.length)).toEqual([2, 1]);
    expect(unit.rows[1]?.version).toBe(index + 1);
    position = unit.lastPosition;
  }
}
