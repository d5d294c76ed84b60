import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { EventLog, RecordedUnit, StreamId } from '../event-log.ts';
import { append } from '../event-log.ts';
import type { Contract } from './harness.ts';
import { anywhere, collect, event, exact, followUpTo, nextTurn, sampleMeta, unitOf } from './samples.ts';

/** A follower sees every unit once, in order, whole, whoever appends it and whenever it comes. */
export function subscribeContract({ start }: Contract): void {
  describe('following', () => {
    test('catches up and goes on live, with no seam and no repetition, while several processes append', async () => {
      const { log, harness } = await start();
      const foreign = harness.open();
      await appendMany(log, 'before', 50);
      const following = followUpTo(log, 0, 50 * 3 * 5);
      const elsewhere = followUpTo(harness.open(), 0, 50 * 3 * 5);
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
      await appendMany(log, 'before', 30);
      const followers = Array.from({ length: 31 }, (_, index) => followUpTo(log, index * 3, 180));
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
          if (unit.lastPosition >= 3_000) stop.abort();
        }
      })();
      const foreign = harness.open();
      for (let round = 0; round < 10; round++) {
        await Promise.all([appendMany(log, `own-${round}`, 50), appendMany(foreign, `foreign-${round}`, 50)]);
      }
      await slow;
      expectWhole(seen);
      expect(seen.at(-1)?.lastPosition).toBe(3_000);
    });

    test('begins with the unit that holds the position after the given one', async () => {
      const { log } = await start();
      const following = [0, 1, 2, 3].map((after) => followUpTo(log, after, 6));
      await appendMany(log, 'a', 2);
      expect((await Promise.all(following)).map((units) => units.map((unit) => unit.position))).toEqual([
        [1, 4],
        [1, 4],
        [1, 4],
        [4],
      ]);
      // The same for those that read it from the store.
      expect((await followUpTo(log, 4, 6)).map((unit) => unit.position)).toEqual([4]);
    });

    test('live units are as they are read later: the same events, meta, versions and times', async () => {
      const { log } = await start();
      const live = followUpTo(log, 0, 4);
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
      await appendMany(log, 'a', 3);
      expect(await collect(log.subscribe(0, AbortSignal.abort()))).toEqual([]);

      const between = new AbortController();
      const seen: number[] = [];
      for await (const unit of log.subscribe(0, between.signal)) {
        seen.push(unit.position);
        if (seen.length === 2) between.abort();
      }
      expect(seen).toEqual([1, 4]);

      const waiting = new AbortController();
      const reader = log.subscribe(9, waiting.signal)[Symbol.asyncIterator]();
      const next = reader.next();
      await nextTurn();
      waiting.abort();
      expect(await next).toEqual({ done: true, value: undefined });
    });

    test('a follower that breaks off leaves the others alone', async () => {
      const { log } = await start();
      const others = [followUpTo(log, 0, 30), followUpTo(log, 0, 30)];
      await appendMany(log, 'a', 5);
      for await (const unit of log.subscribe(0, new AbortController().signal)) if (unit.position > 3) break;
      await appendMany(log, 'b', 5);
      for (const other of others) expectWhole(await other);
    });

    test('a follower from beyond the end waits for the log to get there, and troubles nobody', async () => {
      const { log } = await start();
      await appendMany(log, 'a', 2);
      const beyond = followUpTo(log, 12, 15);
      const others = followUpTo(log, 0, 15);
      await nextTurn();
      await appendMany(log, 'b', 3);
      expectWhole(await others);
      expect((await beyond).map((unit) => unit.position)).toEqual([13]);
    });

    test('a follower ends when its log is closed', async () => {
      const { log } = await start();
      await appendMany(log, 'a', 2);
      const { promise: caughtUp, resolve } = Promise.withResolvers<undefined>();
      const seen: number[] = [];
      const following = (async () => {
        for await (const unit of log.subscribe(0, new AbortController().signal)) {
          seen.push(unit.position);
          if (unit.position === 4) resolve(undefined);
        }
      })();
      await caughtUp;
      await log.close();
      await following;
      expect(seen).toEqual([1, 4]);
    });

    test('followers leave nothing behind on a signal that outlives them', async () => {
      const { log } = await start();
      const { signal } = new AbortController();
      for (let round = 0; round < 20; round++) {
        const following = log.subscribe(round * 3, signal)[Symbol.asyncIterator]();
        const next = following.next();
        await appendMany(log, `a-${round}`, 1);
        expect((await next).value).toMatchObject({ position: round * 3 + 1 });
        await following.return?.();
      }
      expect(getEventListeners(signal, 'abort').length).toBe(0);
    });
  });
}

/** `count` units of three events each, all handed in at once. */
async function appendMany(log: EventLog, name: string, count: number): Promise<void> {
  const results = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const stream: StreamId = `${name}/${index}`;
      return append(log, unitOf([exact(stream, 0, 2), anywhere('system/s')]));
    }),
  );
  for (const result of results) expect(result.outcome).toBe('committed');
}

function expectWhole(units: readonly RecordedUnit[]): void {
  let position = 0;
  for (const unit of units) {
    expect(unit.position).toBe(position + 1);
    expect(unit.rows.map((row) => row.events.length)).toEqual([2, 1]);
    position = unit.lastPosition;
  }
}
