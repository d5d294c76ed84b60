import { describe, expect, it } from 'vitest';
import type { FactData } from './event-versions.ts';
import { factCodec, UnknownEventVersionError } from './fact-codec.ts';

/** Proves that events of every age are read as events of today, and that those of tomorrow are not guessed at. */
const renamed = ({ colour, ...data }: FactData): FactData => ({ ...data, color: colour });
const withSize = (data: FactData): FactData => ({ ...data, size: 'unknown' });
const painted: { readonly type: string } & FactData = { type: 'Painted', color: 'red', size: 'big' };
const codec = factCodec({ Painted: [renamed, withSize], Sold: [] });

const at = (position: number, ...events: { type: string; schema: number; data: object }[]) => ({ position, events });

describe('Reading', () => {
  it('takes an old event through every step to today', () => {
    const events = [1, 2, 3].map((schema) => ({
      type: 'Painted',
      schema,
      data: [{ colour: 'red' }, { color: 'red' }, { color: 'red', size: 'big' }][schema - 1] as object,
    }));
    expect(codec.currentEvents(at(7, ...events))).toEqual([
      { type: 'Painted', schema: 3, data: { color: 'red', size: 'unknown' } },
      { type: 'Painted', schema: 3, data: { color: 'red', size: 'unknown' } },
      { type: 'Painted', schema: 3, data: { color: 'red', size: 'big' } },
    ]);
  });

  it('leaves what was read as it was: it is what the hash chain was made over', () => {
    const old = { type: 'Painted', schema: 1, data: Object.freeze({ colour: 'red' }) };
    codec.currentEvents(at(1, Object.freeze(old)));
    expect(old).toEqual({ type: 'Painted', schema: 1, data: { colour: 'red' } });
  });

  it('gives events of today as they are, and makes nothing', () => {
    const stored = at(1, { type: 'Sold', schema: 1, data: {} });
    expect(codec.currentEvents(stored)).toBe(stored.events);
  });

  it('stops at an event of a newer release, and says which and where', () => {
    const sold = { type: 'Sold', schema: 1, data: {} };
    const read = (type: string, schema: number) => () =>
      codec.currentEvents(at(41, sold, { type, schema, data: { colour: 'red' } }));
    expect(read('Painted', 4)).toThrow(UnknownEventVersionError);
    expect(read('Painted', 4)).toThrow(
      'Painted at position 42 is of version 4, this process knows version 3: upgrade this process',
    );
    expect(read('Painted', 4)).toThrow(
      expect.objectContaining({ code: 'UnknownEventVersion', type: 'Painted', version: 4, known: 3, position: 42 }),
    );
    expect(read('Burnt', 1)).toThrow(
      'Burnt at position 42 is of version 1, this process knows no such event: upgrade this process',
    );
  });
});

describe('Writing', () => {
  it('writes the newest version', () => {
    expect(codec.eventOf(painted)).toEqual({ type: 'Painted', schema: 3, data: { color: 'red', size: 'big' } });
  });

  it('writes an older one while processes run that know no newer: they read it, and so do we', () => {
    const downcast = ({ size: _size, ...data }: FactData): FactData => data;
    const first = factCodec({ Painted: [renamed, withSize] }, { Painted: { version: 2, downcast } });
    const before = factCodec({ Painted: [renamed] });
    const written = first.eventOf(painted);
    expect(before.currentEvents(at(1, written))).toEqual([{ type: 'Painted', schema: 2, data: { color: 'red' } }]);
    expect(first.currentEvents(at(1, written))[0]).toMatchObject({
      schema: 3,
      data: { color: 'red', size: 'unknown' },
    });
    const second = factCodec({ Painted: [renamed, withSize] });
    const newest = second.eventOf(painted);
    expect(first.currentEvents(at(1, newest))[0]).toMatchObject({ schema: 3, data: { size: 'big' } });
  });
});
