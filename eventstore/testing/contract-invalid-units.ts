import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventLog, Unit } from '../event-log.ts';
import { append, InvalidUnitError } from '../event-log.ts';
import type { Contract, LogHarness } from './harness.ts';
import { collect, event, events, exact, sampleMeta, unitOf } from './samples.ts';

/** What could never be right is refused before the store is touched, by an exception that names it. */
export function invalidUnitContract({ start, makeHarness }: Contract): void {
  describe('units that can never be right', () => {
    let harness: LogHarness;
    let log: EventLog;
    beforeAll(async () => {
      harness = await makeHarness();
      log = harness.open();
    });
    afterAll(async () => {
      await harness.dispose();
    });

    test.each(Object.entries(invalid))('%s', (_, unit) => {
      expect(() => log.submit(unit, () => expect.unreachable())).toThrow(InvalidUnitError);
    });

    test('nothing of them was taken in, and the log goes on', async () => {
      expect(await append(log, unitOf([exact('fine/1', 0)], 'fine'))).toMatchObject({ outcome: 'committed' });
      expect((await collect(log.readAll(0))).map(({ id }) => id)).toEqual(['fine']);
    });

    test('the promise of `append` is rejected with it', async () => {
      const { log } = await start();
      await expect(append(log, unitOf([]))).rejects.toThrow(InvalidUnitError);
    });

    test('an event at the limit of 64 KiB is taken, and one above it is not', async () => {
      const { log } = await start();
      const room = 64 * 1024 - JSON.stringify(event({ text: '' })).length;
      const of = (size: number): Unit =>
        unitOf([{ stream: 'a/1', expect: 0, events: [event({ text: 'x'.repeat(size) })] }]);
      expect(() => log.submit(of(room + 1), () => undefined)).toThrow(InvalidUnitError);
      expect(await append(log, of(room))).toMatchObject({ outcome: 'committed' });
      const [row] = await collect(log.readStream('a/1'));
      expect(row?.events[0]?.data).toEqual({ text: 'x'.repeat(room) });
    });

    test('the limits of an event, of the events of a unit and of its size are the configured ones', async () => {
      const { log } = await start({ unitLimits: { eventSizeMax: 100, unitEventsMax: 3, unitSizeMax: 250 } });
      const of = (...sizes: number[]): Unit =>
        unitOf([{ stream: 'a/1', expect: 0, events: sizes.map((size) => event({ text: 'x'.repeat(size) })) }]);
      expect(() => log.submit(of(100), () => undefined)).toThrow(/more than 100/);
      expect(() => log.submit(of(0, 0, 0, 0), () => undefined)).toThrow(/more than 3/);
      expect(() => log.submit(of(40, 40, 40), () => undefined)).toThrow(/more than 250/);
      expect(await append(log, of(0, 0, 0))).toMatchObject({ outcome: 'committed' });
    });
  });
}

/** Units as only a cast, or a caller without types, can make them. */
function cast(appends: readonly unknown[]): Unit {
  return unitOf(appends as Unit['appends']);
}

function on(stream: string, expectation: unknown = 0): Unit {
  return cast([{ stream, expect: expectation, events: [event()] }]);
}

function withData(data: unknown): Unit {
  return cast([{ stream: 'a/1', expect: 0, events: [{ type: 'Something', schema: 1, data }] }]);
}

const circular: Record<string, unknown> = {};
circular['self'] = circular;

const invalid: Record<string, Unit> = {
  'no append': unitOf([]),
  'an append without events': cast([{ stream: 'a/1', expect: 0, events: [] }]),
  'one empty append among others': cast([exact('a/1', 0), { stream: 'b/1', expect: 0, events: [] }]),
  'a stream twice': unitOf([exact('a/1', 0), exact('b/1', 0), exact('a/1', 1)]),
  'a stream twice among many': unitOf([
    ...Array.from({ length: 20 }, (_, index) => exact(`a/${index}`, 0)),
    exact('a/7', 1),
  ]),
  'an absent stream twice': { ...unitOf([exact('a/1', 0)]), absent: ['b/1', 'b/1'] },
  'an absent stream that is appended to': { ...unitOf([exact('a/1', 0)]), absent: ['a/1'] },
  'an absent stream without a name': { ...unitOf([exact('a/1', 0)]), absent: ['b' as 'b/1'] },
  'nine absent streams': {
    ...unitOf([exact('a/1', 0)]),
    absent: Array.from({ length: 9 }, (_, id) => `b/${id}` as const),
  },
  'a negative expectation': on('a/1', -1),
  'an expectation of a fraction': on('a/1', 0.5),
  'an expectation of NaN': on('a/1', NaN),
  'an infinite expectation': on('a/1', Infinity),
  'an expectation beyond exact integers': on('a/1', 2 ** 53),
  'an expectation as text': on('a/1', '0'),
  'a bigint expectation': on('a/1', 0n),
  'an expectation of null': on('a/1', null),
  'no expectation': cast([{ stream: 'a/1', events: [event()] }]),
  '`any` on a guarded stream': on('a/1', 'any'),
  'a version on an unconstrained stream': on('system/s', 0),
  'no stream name': on(''),
  'a stream name without a category': on('a'),
  'a stream name with an empty category': on('/1'),
  'a stream name with an empty id': on('a/'),
  'a stream name with a space': on('a/b c'),
  'a stream name with a line break at its end': on('a/b\n'),
  'a stream name that is too long': on(`a/${'x'.repeat(192)}`),
  'a stream name with a zero byte': on('a/b\u0000'),
  // Postgres would store both halves as U+FFFD, and two streams would be one.
  'a stream name with half a surrogate pair': on('a/\ud83d'),
  'a unit without an id': unitOf([exact('a/1', 0)], ''),
  'a unit id that is too long': unitOf([exact('a/1', 0)], 'x'.repeat(256)),
  'a unit id with a zero byte': unitOf([exact('a/1', 0)], 'unit\u0000'),
  'meta with a zero byte': { ...unitOf([exact('a/1', 0)]), meta: { ...sampleMeta, principal: 'user\u0000' } },
  // JSON can say it, SQL cannot: one such event would stop every view over the log.
  'data with a zero byte': withData({ deep: [{ text: 'zero \u0000 byte' }] }),
  'a key of data with a zero byte': withData({ 'k\u0000': 1 }),
  'data with half a surrogate pair': withData({ text: '\udc00' }),
  'data that is no JSON: bigint': withData({ amount: 1n }),
  'data that is no JSON: circular': withData(circular),
  'an event above 64 KiB': withData({ text: 'x'.repeat(64 * 1024) }),
  'more than 50,000 events': unitOf([{ stream: 'a/1', expect: 0, events: events(50_001) }]),
};
