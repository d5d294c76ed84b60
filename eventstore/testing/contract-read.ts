import { describe, expect, test } from 'vitest';
import type { LogCapabilities, StreamId, Unit } from '../event-log.ts';
import { append } from '../event-log.ts';
import { linkOf } from '../planner/digest.ts';
import type { Contract } from './harness.ts';
import { anywhere, collect, committed, event, exact, sampleMeta, unitOf } from './samples.ts';

/** What was appended comes back as it was, in order, numbered without a gap. */
export function readContract({ start, needs }: Contract, capabilities: LogCapabilities): void {
  describe('reading', () => {
    test('an adapter declares what the contract was told', async () => {
      const { log } = await start();
      expect(log.capabilities).toEqual(capabilities);
    });

    test('an empty log has nothing at all', async () => {
      const { log } = await start();
      expect(await log.lastPosition()).toBe(0);
      expect(await collect(log.readAll(0))).toEqual([]);
      expect(await collect(log.readStream('thing/1'))).toEqual([]);
      expect(await log.readLast(['thing/1'])).toEqual(new Map());
      expect(await log.readLast([])).toEqual(new Map());
    });

    test.each(Object.entries(awkwardData))('data comes back as it was: %s', async (_, data) => {
      const { log } = await start();
      const unit = unitOf([{ stream: 'thing/é–漢/😀', expect: 0, events: [event(data, 'Ünïcode')] }]);
      const { position, lastPosition } = await committed(log, unit);
      expect(lastPosition).toBe(position);
      const recorded = [{ type: 'Ünïcode', schema: 1, data }];
      const row = { position, stream: 'thing/é–漢/😀', version: 1, events: recorded };
      expect(await collect(log.readAll(0))).toMatchObject([{ id: unit.id, position, lastPosition, rows: [row] }]);
      expect(await collect(log.readStream('thing/é–漢/😀'))).toMatchObject([row]);
      expect((await log.readLast(['thing/é–漢/😀'])).get('thing/é–漢/😀')).toMatchObject(row);
    });

    test('a unit comes back with its id, its meta and the time at which it was recorded', async () => {
      const { log } = await start();
      const meta = {
        ...sampleMeta,
        effectiveAt: '2026-02-27T00:00:00.000Z',
        causationId: 'cause "7" \\ \u2028',
        tenant: 'テナント',
        commandId: 'command/1',
      };
      const unit: Unit = { id: 'únit "1"', appends: [exact('a/1', 0), anywhere('system/s')], meta };
      const { position, lastPosition, recordedAt } = await committed(log, unit);
      expect(await collect(log.readAll(0))).toMatchObject([
        { id: 'únit "1"', position, lastPosition, recordedAt, meta },
      ]);
      // Its second row too, whose meta is stored with the first.
      expect(await collect(log.readStream('system/s'))).toMatchObject([
        { unitId: 'únit "1"', unitPosition: position, position: lastPosition, recordedAt, meta },
      ]);
    });

    test('meta that a caller without types puts beside the fields of the log does not stand in for them', async () => {
      const { log } = await start();
      const meta = { ...sampleMeta, unit: 'other', count: 99, position: 7 };
      const { position, lastPosition } = await committed(log, { id: 'mine', appends: [exact('a/1', 0, 2)], meta });
      await committed(log, unitOf([exact('a/1', 2)], 'next'));
      expect(await collect(log.readAll(0))).toMatchObject([{ id: 'mine', position, lastPosition }, { id: 'next' }]);
    });

    needs('densePositions', 'positions and versions count 1, 2, 3 … without a gap', async () => {
      const { log, harness } = await start();
      const other = harness.open();
      const versions = new Map<StreamId, number>();
      for (let round = 0; round < 12; round++) {
        const appends = (['a/1', 'b/2', 'c/3'] as const)
          .filter((_, index) => (round + index) % 3 !== 0)
          .map((stream, index) => exact(stream, versions.get(stream) ?? 0, 1 + ((round + index) % 4)));
        for (const { stream, events } of appends) versions.set(stream, (versions.get(stream) ?? 0) + events.length);
        const result = await append(round % 2 === 0 ? log : other, unitOf([anywhere('system/s'), ...appends]));
        expect(result.outcome).toBe('committed');
      }
      let position = 0;
      const reached = new Map<StreamId, number>();
      for await (const unit of log.readAll(0)) {
        expect(unit.position).toBe(position + 1);
        for (const row of unit.rows) {
          expect(row.position).toBe(position + 1);
          expect(row.version).toBe((reached.get(row.stream) ?? 0) + 1);
          position += row.events.length;
          reached.set(row.stream, row.version + row.events.length - 1);
        }
        expect(unit.lastPosition).toBe(position);
      }
      expect(await log.lastPosition()).toBe(position);
      expect(reached).toEqual(new Map([...versions, ['system/s', 12]]));
    });

    test('rows come in the order of the unit, and a stream in the order of its versions', async () => {
      const { log } = await start();
      await append(log, unitOf([exact('b/1', 0, 2), exact('a/1', 0, 3), anywhere('system/s', 2)]));
      await append(log, unitOf([exact('a/1', 3, 2), exact('b/1', 2)]));
      const rows = (await collect(log.readAll(0))).map((unit) => unit.rows.map((row) => [row.stream, row.version]));
      expect(rows).toEqual([
        [
          ['b/1', 1],
          ['a/1', 1],
          ['system/s', 1],
        ],
        [
          ['a/1', 4],
          ['b/1', 3],
        ],
      ]);
      expect((await collect(log.readStream('a/1'))).map((row) => [row.version, row.events.length])).toEqual([
        [1, 3],
        [4, 2],
      ]);
    });

    test('a stream is read from the row that holds the version after the given one', async () => {
      const { log } = await start();
      await append(log, unitOf([exact('a/1', 0, 3)]));
      await append(log, unitOf([exact('a/1', 3)]));
      await append(log, unitOf([exact('a/1', 4, 2)]));
      const from = async (after?: number): Promise<number[]> =>
        (await collect(log.readStream('a/1', after))).map((row) => row.version);
      expect(await from()).toEqual([1, 4, 5]);
      expect(await from(1)).toEqual([1, 4, 5]);
      expect(await from(2)).toEqual([1, 4, 5]);
      expect(await from(3)).toEqual([4, 5]);
      expect(await from(4)).toEqual([5]);
      expect(await from(5)).toEqual([5]);
      expect(await from(6)).toEqual([]);
      expect(await from(60)).toEqual([]);
    });

    test('the log is read from the unit that holds the position after the given one', async () => {
      const { log } = await start();
      const first = await committed(log, unitOf([exact('a/1', 0, 2), exact('b/1', 0, 2)], 'first'));
      const second = await committed(log, unitOf([exact('a/1', 2)], 'second'));
      const third = await committed(log, unitOf([exact('a/1', 3, 3)], 'third'));
      const from = async (after: number): Promise<string[]> =>
        (await collect(log.readAll(after))).map((unit) => unit.id);
      const withinFirst = [0, first.position, first.lastPosition - 1];
      for (const after of withinFirst) expect(await from(after)).toEqual(['first', 'second', 'third']);
      expect(await from(first.lastPosition)).toEqual(['second', 'third']);
      const withinThird = [second.lastPosition, third.position, third.lastPosition - 1];
      for (const after of withinThird) expect(await from(after)).toEqual(['third']);
      const beyond = [third.lastPosition, third.lastPosition + 1, third.lastPosition + 1_000_000];
      for (const after of beyond) expect(await from(after)).toEqual([]);
    });

    test('the last row of each stream that exists is found, and of no other', async () => {
      const { log } = await start();
      await append(log, unitOf([exact('a/1', 0, 3), exact('b/1', 0), anywhere('system/s')]));
      await append(log, unitOf([exact('a/1', 3, 2), anywhere('system/s', 2)]));
      await append(log, unitOf([exact('c/1', 0)]));
      const last = await log.readLast(['a/1', 'b/1', 'system/s', 'missing/1', 'a/1']);
      expect([...last].map(([stream, row]) => [stream, row.version, row.events.length]).sort()).toEqual([
        ['a/1', 4, 2],
        ['b/1', 1, 1],
        ['system/s', 2, 2],
      ]);
    });

    test('one log reads at once what another one has appended', async () => {
      const { log, harness } = await start();
      const other = harness.open();
      const appends = [exact('a/1', 0), exact('b/1', 0)];
      const { lastPosition } = await committed(other, unitOf(appends, 'foreign'));
      expect(await log.lastPosition()).toBe(lastPosition);
      expect((await collect(log.readAll(0))).map((unit) => unit.id)).toEqual(['foreign']);
      expect((await log.readLast(['b/1'])).get('b/1')?.position).toBe(lastPosition);
    });

    needs('hashChain', 'each commit is linked to the one before it', async () => {
      const { log, harness } = await start();
      const other = harness.open();
      for (let version = 0; version < 5; version++) {
        await append(version % 2 === 0 ? log : other, unitOf([exact('a/1', version), anywhere('system/s')]));
      }
      const commits = (await harness.commits?.()) ?? [];
      expect(commits).toHaveLength(5);
      let previous: Buffer = Buffer.alloc(0);
      for (const [index, { position, count, recordedAtMicros, digest, hash }] of commits.entries()) {
        expect(position).toBe(index * 2 + 1);
        expect(hash).toEqual(linkOf(previous, position, count, recordedAtMicros, digest));
        previous = hash;
      }
    });
  });
}

const awkwardData: Record<string, object> = {
  'an empty object': {},
  'nested objects and lists': { a: { b: [{ c: [[], {}, null, [1, [2, [3]]]] }] }, d: false, e: '' },
  'big amounts as decimal strings': { amount: '123456789012345678901234567890', negative: '-9007199254740993' },
  'numbers at their limits': { max: Number.MAX_SAFE_INTEGER, min: Number.MIN_SAFE_INTEGER, tiny: 5e-324, huge: 1e308 },
  'text in all scripts': { text: 'e\u0301 é ﬁ 漢字 हिन्दी עברית 👩‍👩‍👧‍👦 \u{10ffff} \u2028\u2029 \ufeff' },
  'quotes, backslashes and control characters': { text: '"\\" \\u0000 \\\\ \b\f\n\r\t \u0001\u001f \u007f {}[],:' },
  'keys that mean something elsewhere': { constructor: 1, toString: 2, length: 3, '': 4, 'a.b': 5, '😀': 6 },
};
