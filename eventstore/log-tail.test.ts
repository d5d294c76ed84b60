import { getEventListeners } from 'node:events';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { RecordedUnit, Whose } from './event-log.ts';
import { follow, LogTail } from './log-tail.ts';
import { nextTurn, sampleMeta } from './testing/samples.ts';

/** Proves that memory and store together are one log to a follower, however local, foreign and late news interleave. */
describe('the tail in memory', () => {
  test('gives what comes after a position only when it holds all of it', () => {
    const tail = new LogTail();
    expect(tail.after(0)).toBeUndefined();
    publish(tail, [unitAt(5, 2), unitAt(7, 1)]);
    publish(tail, [unitAt(8, 3)]);
    expect(tail.after(3)).toBeUndefined();
    expect(positions(tail.after(4))).toEqual([5, 7, 8]);
    expect(positions(tail.after(6))).toEqual([7, 8]);
    expect(positions(tail.after(7))).toEqual([8]);
    expect(tail.after(10)).toBeUndefined();
    expect(tail.after(11)).toBeUndefined();
  });

  test('gives the whole unit to one who has half of it', () => {
    const tail = new LogTail();
    publish(tail, [unitAt(1, 3), unitAt(4, 3)]);
    expect(positions(tail.after(1))).toEqual([1, 4]);
    expect(positions(tail.after(4))).toEqual([4]);
    expect(positions(tail.after(5))).toEqual([4]);
  });

  test('begins anew behind units of other processes', () => {
    const tail = new LogTail();
    publish(tail, [unitAt(1, 1)]);
    publish(tail, [unitAt(3, 1)]);
    expect(tail.after(0)).toBeUndefined();
    expect(tail.after(1)).toBeUndefined();
    expect(positions(tail.after(2))).toEqual([3]);
  });

  test('drops its oldest units when it holds too many events, and never its newest', () => {
    const tail = new LogTail(10);
    for (let position = 1; position <= 60; position += 3) publish(tail, [unitAt(position, 3)]);
    expect(tail.after(0)).toBeUndefined();
    const kept = positions(tail.after(57));
    expect(kept).toEqual([58]);
    publish(tail, [unitAt(61, 1_000)]);
    expect(positions(tail.after(60))).toEqual([61]);
  });

  test('lets go of what every follower has had, and keeps the rest for the slowest', () => {
    const tail = new LogTail();
    const [slow, fast] = [tail.attach(0), tail.attach(0)];
    const publishUpTo = (from: number, to: number): void => {
      for (let position = from; position <= to; position += 10) publish(tail, [unitAt(position, 10)]);
    };
    publishUpTo(1, 5_000);
    fast.position = 5_000;
    slow.position = 1_500;
    publishUpTo(5_001, 5_010);
    expect(tail.after(1_400)).toBeUndefined();
    expect(positions(tail.after(1_500))?.[0]).toBe(1_501);
    tail.detach(slow);
    publishUpTo(5_011, 5_020);
    expect(tail.after(4_000)).toBeUndefined();
    expect(positions(tail.after(5_000))).toEqual([5_001, 5_011]);
  });

  test('wakes those who wait for more than was known, at once those who wait for less', async () => {
    const tail = new LogTail();
    const { signal } = new AbortController();
    let woken = 0;
    const wait = async (position: number): Promise<void> => {
      await tail.waitFor(position, signal);
      woken += 1;
    };
    const waits = [wait(0), wait(0), wait(4)];
    await nextTurn();
    expect(woken).toBe(0);
    tail.reached(4);
    await nextTurn();
    // The one who waits for 5 is woken too: it looks and waits again. What counts is that nobody sleeps through.
    expect(woken).toBeGreaterThanOrEqual(2);
    publish(tail, [unitAt(5, 1)]);
    await Promise.all(waits);
    await tail.waitFor(4, signal);
    expect(tail.known).toBe(5);
  });

  test('late news of old positions changes nothing', () => {
    const tail = new LogTail();
    tail.reached(10);
    publish(tail, [unitAt(3, 1)]);
    tail.reached(7);
    expect(tail.known).toBe(10);
  });

  test('one who gives up waiting leaves no listener behind', async () => {
    const tail = new LogTail();
    const stop = new AbortController();
    const waits = [tail.waitFor(0, stop.signal), tail.waitFor(0, stop.signal)];
    tail.reached(1);
    await Promise.all(waits);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
    const last = tail.waitFor(1, stop.signal);
    stop.abort();
    await last;
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });
});

describe('following', () => {
  test('one from beyond the end does not make others believe in it', async () => {
    const tail = new LogTail();
    const stop = new AbortController();
    const store = new Store();
    const beyond = follow(1_000, stop.signal, tail, store.readAll);
    const next = beyond.next();
    await nextTurn();
    expect(tail.known).toBe(0);
    expect(store.reads).toBe(1);
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test('the store is not asked for what memory gave, nor for our own units by one who wants foreign ones', async () => {
    const tail = new LogTail();
    const store = new Store();
    const stop = new AbortController();
    const seen: Record<Whose, number[]> = { everything: [], foreign: [] };
    const read = async (whose: Whose): Promise<void> => {
      for await (const { position } of follow(0, stop.signal, tail, store.readAll, whose)) seen[whose].push(position);
    };
    const readers = [read('everything'), read('foreign')];
    await nextTurn();
    expect(store.reads).toBe(2);
    for (let round = 0; round < 5; round++) {
      publish(tail, [store.append(2)]);
      await nextTurn();
    }
    expect(seen).toEqual({ everything: [1, 3, 5, 7, 9], foreign: [] });
    expect(store.reads).toBe(2);
    store.append(1);
    publish(tail, [store.append(1)]);
    for (let turns = 0; turns < 10; turns++) await nextTurn();
    expect(seen.everything).toEqual([1, 3, 5, 7, 9, 11, 12]);
    expect(seen.foreign).toContain(11);
    stop.abort();
    await Promise.all(readers);
  });

  test('an error of the store reaches the follower, who may follow again from where it was', async () => {
    const tail = new LogTail();
    const { signal } = new AbortController();
    const store = new Store();
    store.append(1);
    store.append(1);
    store.breaksAt = 2;
    const first = follow(0, signal, tail, store.readAll);
    expect((await first.next()).value).toMatchObject({ position: 1 });
    await expect(first.next()).rejects.toThrow('the store broke');
    store.breaksAt = undefined;
    const second = follow(1, signal, tail, store.readAll);
    expect((await second.next()).value).toMatchObject({ position: 2 });
  });

  // own: committed here and published; late: committed here, published some steps later; foreign: committed elsewhere.
  const steps = fc.array(
    fc.oneof(
      fc.record({
        step: fc.constantFrom('own' as const, 'late' as const, 'foreign' as const),
        events: fc.integer({ min: 1, max: 3 }),
        wanted: fc.boolean(),
      }),
      fc.record({
        step: fc.constantFrom('publish' as const, 'poll' as const, 'turn' as const, 'follow' as const),
        events: fc.constant(0),
        wanted: fc.boolean(),
      }),
    ),
    { maxLength: 60 },
  );

  test.prop([steps, fc.integer({ min: 1, max: 20 })], { numRuns: 400 })(
    'every follower sees every unit after its position once, in order; one that wants what is foreign may miss our own',
    async (plan, eventsMax) => {
      const tail = new LogTail(eventsMax);
      const store = new Store();
      const stop = new AbortController();
      const followers: { after: number; whose: Whose; seen: number[]; end: Promise<void> }[] = [];
      const own = new Set<number>();
      const startFollower = (whose: Whose): void => {
        const after = store.last;
        const seen: number[] = [];
        const read = async (): Promise<void> => {
          for await (const { position } of follow(after, stop.signal, tail, store.readAll, whose)) {
            seen.push(position);
            if (seen.length % 3 === 0) await nextTurn();
          }
        };
        followers.push({ after, whose, seen, end: read() });
      };
      let unpublished: RecordedUnit[] = [];
      const publishLate = (wanted = true): void => {
        // One commit at a time: what is published late is published before the next own commit.
        const units = unpublished;
        unpublished = [];
        if (units.length > 0) publish(tail, units, wanted);
      };
      startFollower('everything');
      startFollower('foreign');
      for (const { step, events, wanted } of plan) {
        if (step === 'own' || step === 'late') {
          publishLate();
          unpublished = [store.append(events)];
          own.add(store.last - events + 1);
          // Kept in memory or not: whoever follows must not depend on it.
          if (step === 'own') publishLate(wanted);
        } else if (step === 'foreign') store.append(events);
        else if (step === 'publish') publishLate();
        else if (step === 'poll') tail.reached(store.last);
        else if (step === 'follow') startFollower(wanted ? 'everything' : 'foreign');
        else await nextTurn();
      }
      publishLate();
      tail.reached(store.last);
      const all = store.units.map(({ position }) => position);
      const owed = ({ after, whose }: { after: number; whose: Whose }): number[] =>
        all.filter((position) => position > after && (whose === 'everything' || !own.has(position)));
      const complete = (): boolean =>
        followers.every((follower) => owed(follower).every((position) => follower.seen.includes(position)));
      for (let turns = 0; turns < 1_000 && !complete(); turns++) await nextTurn();
      stop.abort();
      await Promise.all(followers.map(({ end }) => end));
      for (const follower of followers) {
        const { after, whose, seen } = follower;
        const inOrder = all.filter((position) => position > after && seen.includes(position));
        expect(seen).toEqual(inOrder);
        expect(seen).toEqual(whose === 'everything' ? owed(follower) : expect.arrayContaining(owed(follower)));
      }
    },
  );
});

/** A store whose reads take their time: one page, and one turn, per two units. */
class Store {
  readonly units: RecordedUnit[] = [];
  reads = 0;
  breaksAt: number | undefined;

  get last(): number {
    return this.units.at(-1)?.lastPosition ?? 0;
  }

  append(events: number): RecordedUnit {
    const unit = unitAt(this.last + 1, events);
    this.units.push(unit);
    return unit;
  }

  readonly readAll = async function* (this: Store, after: number): AsyncGenerator<RecordedUnit> {
    this.reads += 1;
    let cursor = after;
    for (;;) {
      const page = this.units.filter(({ position }) => position > cursor).slice(0, 2);
      await nextTurn();
      for (const unit of page) {
        if (unit.position === this.breaksAt) throw new Error('the store broke');
        yield unit;
        cursor = unit.lastPosition;
      }
      if (page.length < 2) return;
    }
  }.bind(this);
}

function unitAt(position: number, count: number): RecordedUnit {
  const lastPosition = position + count - 1;
  return { id: `${position}`, position, lastPosition, recordedAt: new Date(0), meta: sampleMeta, rows: [] };
}

function publish(tail: LogTail, units: readonly RecordedUnit[], wanted = true): void {
  const [first, last] = [units[0] as RecordedUnit, units.at(-1) as RecordedUnit];
  tail.publish({ position: first.position, lastPosition: last.lastPosition, recorded: () => units }, wanted);
}

function positions(units: readonly RecordedUnit[] | undefined): number[] | undefined {
  return units?.map(({ position }) => position);
}
