import { describe, expect, test } from 'vitest';
import type { Append, StreamId } from '../event-log.ts';
import { anywhere, exact, unitOf } from '../testing/samples.ts';
import type { Batch, BatchLimits } from './batch-planner.ts';
import { BatchPlanner, defaultBatchLimits } from './batch-planner.ts';
import type { PlannedUnit } from './planned-unit.ts';
import { defaultUnitLimits, planUnit } from './planned-unit.ts';

/** Proves what goes into a commit together, and that whatever stood on a refused unit falls with it. */
describe('the next batch', () => {
  test('takes waiting units in order, each expecting what those before it leave behind', () => {
    const planner = plannerOf(
      {},
      { one: [exact('a/1', 4, 2)], two: [exact('a/1', 6), exact('b/1', 0)], three: [exact('b/1', 1)] },
    );
    const batch = next(planner);
    expect(ids(batch.units)).toEqual(['one', 'two', 'three']);
    expect(batch.expected).toEqual(
      new Map([
        ['a/1', 4],
        ['b/1', 0],
      ]),
    );
    expect(planner.next()).toBeUndefined();
  });

  test('expects nothing of unconstrained streams, however many units append to them', () => {
    const planner = plannerOf({}, { one: [anywhere('system/s', 2)], two: [anywhere('system/s'), exact('a/1', 0)] });
    const batch = next(planner);
    expect(ids(batch.units)).toEqual(['one', 'two']);
    expect(batch.expected).toEqual(
      new Map([
        ['system/s', null],
        ['a/1', 0],
      ]),
    );
  });

  test('holds no more units than its limit, and leaves the others in their order', () => {
    const units = Object.fromEntries(['1', '2', '3', '4', '5'].map((id) => [id, [exact(`a/${id}`, 0)]]));
    const planner = plannerOf({ batchUnitsMax: 2 }, units);
    expect([next(planner), next(planner), next(planner)].map((batch) => ids(batch.units))).toEqual([
      ['1', '2'],
      ['3', '4'],
      ['5'],
    ]);
  });

  test('ends behind the unit that reaches its size limit, which is never too large to go alone', () => {
    const planner = plannerOf(
      { batchSizeMax: 300 },
      { small: [exact('a/1', 0)], large: [exact('b/1', 0, 50)], last: [exact('c/1', 0)] },
    );
    expect(ids(next(planner).units)).toEqual(['small', 'large']);
    expect(ids(next(planner).units)).toEqual(['last']);
  });

  test('leaves out a rival with all that shares a stream with it, and takes it next', () => {
    const planner = plannerOf(
      {},
      {
        one: [exact('a/1', 0)],
        rival: [exact('a/1', 0), exact('b/1', 0)],
        standsOnRival: [exact('b/1', 1), exact('c/1', 0)],
        standsOnThat: [exact('c/1', 1)],
        bystander: [exact('d/1', 0), anywhere('system/s')],
        onOne: [exact('a/1', 1)],
      },
    );
    expect(ids(next(planner).units)).toEqual(['one', 'bystander']);
    expect(ids(next(planner).units)).toEqual(['rival', 'standsOnRival', 'standsOnThat', 'onOne']);
  });

  test('leaves out a unit that expects more than the batch leaves behind', () => {
    const planner = plannerOf({}, { one: [exact('a/1', 0)], ahead: [exact('a/1', 2)] });
    expect(ids(next(planner).units)).toEqual(['one']);
    expect(ids(next(planner).units)).toEqual(['ahead']);
  });

  test('takes one that wants a stream absent before the one that opens it, and leaves it when it comes after', () => {
    const planner = plannerOf({}, { before: [exact('a/1', 0)], opens: [exact('c/1', 0)], after: [exact('a/2', 0)] }, [
      'before',
      'after',
    ]);
    const batch = next(planner);
    expect(ids(batch.units)).toEqual(['before', 'opens']);
    expect(batch.expected).toEqual(
      new Map([
        ['a/1', 0],
        ['c/1', 0],
      ]),
    );
    expect(ids(next(planner).units)).toEqual(['after']);
  });

  test('nothing behind a full batch overtakes', () => {
    const planner = plannerOf(
      { batchUnitsMax: 1 },
      { one: [exact('a/1', 0)], two: [exact('b/1', 0)], three: [exact('b/1', 1)] },
    );
    expect([next(planner), next(planner), next(planner)].map((batch) => ids(batch.units))).toEqual([
      ['one'],
      ['two'],
      ['three'],
    ]);
  });
});

describe('refusal', () => {
  test('takes along what stood on the refused unit, in the batch and in the queue, and nothing else', () => {
    const planner = plannerOf(
      { batchUnitsMax: 3 },
      {
        a: [exact('wallet/1', 5)],
        bystander: [exact('wallet/2', 0), anywhere('system/s')],
        b: [exact('wallet/1', 6), exact('wallet/3', 2)],
        queuedOnB: [exact('wallet/3', 3), anywhere('system/s')],
        queuedOnThat: [exact('wallet/1', 7)],
        queuedOnBystander: [exact('wallet/2', 1)],
        queuedAlone: [anywhere('system/s')],
      },
    );
    const refused = planner.refuse(next(planner), new Map([['wallet/1', 6]]));
    expect(refused.map(({ unit, ...why }) => ({ id: unit.unit.id, ...why }))).toEqual([
      { id: 'a', stream: 'wallet/1', expected: 5, actual: 6 },
      { id: 'b', stream: 'wallet/1', expected: 6, actual: 6 },
      { id: 'queuedOnB', stream: 'wallet/3', expected: 3 },
      { id: 'queuedOnThat', stream: 'wallet/1', expected: 7, actual: 6 },
    ]);
    // What was in the batch is ahead of what was behind it.
    expect(ids(next(planner).units)).toEqual(['bystander', 'queuedOnBystander', 'queuedAlone']);
  });

  test('takes one that wants a stream absent when it exists, and not when the one who would open it fell', () => {
    const units = { opens: [exact('a/1', 0), exact('c/1', 0)], wants: [exact('b/1', 0)] };
    const [exists, fell] = [plannerOf({}, units, ['wants']), plannerOf({}, units, ['wants'])];
    expect(ids(next(exists).units)).toEqual(['opens']);
    const waiting = next(exists);
    expect(exists.refuse(waiting, new Map([['c/1', 4]]))).toMatchObject([{ stream: 'c/1', expected: 0, actual: 4 }]);
    const batch = next(fell);
    expect(ids(fell.refuse(batch, new Map([['a/1', 1]])).map(({ unit }) => unit))).toEqual(['opens']);
    expect(ids(next(fell).units)).toEqual(['wants']);
  });

  test('takes along a rival that waits on the stale stream', () => {
    const planner = plannerOf(
      {},
      { one: [exact('a/1', 0)], rival: [exact('a/1', 0), exact('b/1', 0)], onRival: [exact('b/1', 1)] },
    );
    const refused = planner.refuse(next(planner), new Map([['a/1', 3]]));
    expect(ids(refused.map(({ unit }) => unit))).toEqual(['one', 'rival', 'onRival']);
    expect(planner.waiting).toBe(0);
  });

  test('tells the version of the stale stream, or none to a unit that only stood on another one', () => {
    const planner = plannerOf({}, { one: [exact('a/1', 0), exact('b/1', 0)], two: [exact('c/1', 9), exact('b/1', 1)] });
    const [, two] = planner.refuse(next(planner), new Map([['a/1', 1]]));
    expect(two).toMatchObject({ stream: 'b/1', expected: 1 });
    expect(two).not.toHaveProperty('actual');
  });

  test('a unit of unconstrained streams stands on nothing', () => {
    const planner = plannerOf({}, { one: [exact('a/1', 0), anywhere('system/s')], free: [anywhere('system/s')] });
    expect(ids(planner.refuse(next(planner), new Map([['a/1', 1]])).map(({ unit }) => unit))).toEqual(['one']);
    expect(ids(next(planner).units)).toEqual(['free']);
  });
});

describe('failure', () => {
  test('takes the whole batch and all that waits on it', () => {
    const planner = plannerOf(
      { batchUnitsMax: 2 },
      {
        one: [exact('a/1', 0), anywhere('system/s')],
        two: [exact('b/1', 0)],
        onTwo: [exact('b/1', 1), exact('c/1', 0)],
        onThat: [exact('c/1', 1)],
        bystander: [exact('d/1', 0), anywhere('system/s')],
      },
    );
    expect(ids(planner.fail(next(planner)))).toEqual(['one', 'two', 'onTwo', 'onThat']);
    expect(ids(next(planner).units)).toEqual(['bystander']);
  });
});

describe('the queue', () => {
  test('holds as many units as it is told to, those in a batch not counted', () => {
    const planner = plannerOf({ waitingUnitsMax: 2 }, { one: [exact('a/1', 0)], two: [exact('a/2', 0)] });
    expect(planner.add(plan('three', [exact('a/3', 0)]))).toBe(false);
    expect(planner.waiting).toBe(2);
    next(planner);
    expect(planner.add(plan('three', [exact('a/3', 0)]))).toBe(true);
  });

  test('takes back what a refusal leaves of a batch even when it is full', () => {
    const planner = plannerOf({ waitingUnitsMax: 2 }, { one: [exact('a/1', 0)], two: [exact('a/2', 0)] });
    const batch = next(planner);
    planner.add(plan('three', [exact('a/3', 0)]));
    planner.add(plan('four', [exact('a/4', 0)]));
    planner.refuse(batch, new Map([['a/1', 1]]));
    expect(ids(next(planner).units)).toEqual(['two', 'three', 'four']);
  });

  test('is emptied when the log gives up', () => {
    const planner = plannerOf({}, { one: [exact('a/1', 0)], two: [exact('a/2', 0)] });
    expect(ids(planner.drop())).toEqual(['one', 'two']);
    expect(planner.next()).toBeUndefined();
  });
});

function plan(id: string, appends: readonly Append[], absent: readonly StreamId[] = []): PlannedUnit {
  return planUnit({ ...unitOf(appends, id), absent }, defaultUnitLimits, () => undefined);
}

/** @param wanting the units that want `c/1` not to exist */
function plannerOf(
  limits: Partial<BatchLimits>,
  units: Record<string, readonly Append[]>,
  wanting: readonly string[] = [],
): BatchPlanner {
  const planner = new BatchPlanner({ ...defaultBatchLimits, ...limits });
  for (const [id, appends] of Object.entries(units)) {
    expect(planner.add(plan(id, appends, wanting.includes(id) ? ['c/1'] : []))).toBe(true);
  }
  return planner;
}

function next(planner: BatchPlanner): Batch {
  const batch = planner.next();
  if (batch === undefined) throw new Error('nothing waits');
  return batch;
}

function ids(units: readonly PlannedUnit[]): string[] {
  return units.map((planned) => planned.unit.id);
}
