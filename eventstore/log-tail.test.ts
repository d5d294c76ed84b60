import { getEventListeners } from 'node:events';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { RecordedUnit } from './event-log.ts';
import { follow, LogTail } from './log-tail.ts';
import { nextTurn, sampleMeta } from './testing/samples.ts';

/** Proves that memory and store together are one log to a follower, however local, foreign and late news interleave. */
describe('the tail in memory', () => {
  test('gives what comes after a position only when it holds all of it', () => {
    const tail = new LogTail();
    expect(tail.after(0)).toBeUndefined();
    tail.publish([unitAt(5, 2), unitAt(7, 1)]);
    tail.publish([unitAt(8, 3)]);
    expect(tail.after(3)).toBeUndefined();
    expect(positions(tail.after(4))).toEqual([5, 7, 8]);
    expect(positions(tail.after(6))).toEqual([7, 8]);
    expect(positions(tail.after(7))).toEqual([8]);
    expect(tail.after(10)).toBeUndefined();
    expect(tail.after(11)).toBeUndefined();
  });

  test('gives the whole unit to one who has half of it', () => {
    const tail = new LogTail();
    tail.publish([unitAt(1, 3), unitAt(4, 3)]);
    expect(positions(tail.after(1))).toEqual([1, 4]);
    expect(positions(tail.after(4))).toEqual([4]);
    expect(positions(tail.after(5))).toEqual([4]);
  });

  test('begins anew behind units of other processes', () => {
    const tail = new LogTail();
    tail.publish([unitAt(1, 1)]);
    tail.publish([unitAt(3, 1)]);
    expect(tail.after(0)).toBeUndefined();
    expect(tail.after(1)).toBeUndefined();
    expect(positions(tail.after(2))).toEqual([3]);
  });

  test('drops its oldest units when it holds too many events, and never its newest', () => {
    const tail = new LogTail(10);
    for (let position = 1; position <= 60; position += 3) tail.publish([unitAt(position, 3)]);
    expect(tail.after(0)).toBeUndefined();
    const kept = positions(tail.after(57));
    expect(kept).toEqual([58]);
    tail.publish([unitAt(61, 1_000)]);
    expect(positions(tail.after(60))).toEqual([61]);
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
    tail.publish([unitAt(5, 1)]);
    await Promise.all(waits);
    await tail.waitFor(4, signal);
    expect(tail.known).toBe(5);
  });

  test('late news of old positions changes nothing', () => {
    const tail = new LogTail();
    tail.reached(10);
    tail.publish([unitAt(3, 1)]);
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
      }),
      fc.record({
        step: fc.constantFrom('publish' as const, 'poll' as const, 'turn' as const, 'follow' as const),
        events: fc.constant(0),
      }),
    ),
    { maxLength: 60 },
  );

  test.prop([steps, fc.integer({ min: 1, max: 20 })], { numRuns: 400 })(
    'every follower sees every unit after its position once, in order',
    async (plan, eventsMax) => {
      const tail = new LogTail(eventsMax);
      const store = new Store();
      const stop = new AbortController();
      const followers: { after: number; seen: number[]; end: Promise<void> }[] = [];
      const startFollower = (): void => {
        const after = store.last;
        const seen: number[] = [];
        const read = async (): Promise<void> => {
          for await (const { position } of follow(after, stop.signal, tail, store.readAll)) {
            seen.push(position);
            if (seen.length % 3 === 0) await nextTurn();
          }
        };
        followers.push({ after, seen, end: read() });
      };
      let unpublished: RecordedUnit[] = [];
      const publish = (): void => {
        // One commit at a time: what is published late is published before the next own commit.
        const units = unpublished;
        unpublished = [];
        tail.publish(units);
      };
      startFollower();
      for (const { step, events } of plan) {
        if (step === 'own' || step === 'late') {
          publish();
          unpublished = [store.append(events)];
          if (step === 'own') publish();
        } else if (step === 'foreign') store.append(events);
        else if (step === 'publish') publish();
        else if (step === 'poll') tail.reached(store.last);
        else if (step === 'follow') startFollower();
        else await nextTurn();
      }
      publish();
      tail.reached(store.last);
      const all = store.units.map(({ position }) => position);
      const complete = (): boolean =>
        followers.every(({ after, seen }) => seen.length >= all.filter((position) => position > after).length);
      for (let turns = 0; turns < 1_000 && !complete(); turns++) await nextTurn();
      stop.abort();
      await Promise.all(followers.map(({ end }) => end));
      for (const { after, seen } of followers) expect(seen).toEqual(all.filter((position) => position > after));
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

function positions(units: readonly RecordedUnit[] | undefined): number[] | undefined {
  return units?.map(({ position }) => position);
}
