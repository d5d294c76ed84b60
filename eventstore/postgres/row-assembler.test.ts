import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { StreamId } from '../event-log.ts';
import { sampleMeta } from '../testing/samples.ts';
import type { LogRow } from './row-assembler.ts';
import { parseMeta, UnitAssembler } from './row-assembler.ts';

/** Proves that rows become whole units again, and that a gap or half a unit is never read past. */
describe('rows in order', () => {
  test.prop([
    fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 })),
    fc.nat({ max: 2 ** 40 }),
  ])('become the units that they were', (units, after) => {
    const assembler = new UnitAssembler(after);
    let position = after;
    for (const [index, counts] of units.entries()) {
      const first = position + 1;
      const total = counts.reduce((sum, count) => sum + count, 0);
      for (const [row, count] of counts.entries()) {
        expect(assembler.whole).toBe(row === 0);
        const meta = row === 0 ? { unit: `${index}`, count: total } : undefined;
        const unit = assembler.take(rowAt(position + 1, count, first, meta));
        position += count;
        expect(assembler.position).toBe(position);
        if (row < counts.length - 1) {
          expect(unit).toBeUndefined();
          continue;
        }
        expect(unit).toMatchObject({ id: `${index}`, position: first, lastPosition: position, meta: sampleMeta });
        expect(unit?.rows.map(({ events }) => events.length)).toEqual(counts);
      }
    }
    expect(assembler.whole).toBe(true);
  });

  test('what the unit said is told apart from what the log added', () => {
    const meta = { ...sampleMeta, tenant: 't' };
    expect(parseMeta(JSON.stringify({ ...meta, unit: 'u', count: 3 }))).toEqual({ id: 'u', count: 3, meta });
  });
});

describe('rows that break the promise of the log are refused', () => {
  const broken: Record<string, { position: number; rows: LogRow[] }> = {
    'the first row is missing': { position: 1, rows: [rowAt(2, 1, 2, { unit: 'u', count: 1 })] },
    'a row comes twice': {
      position: 2,
      rows: [rowAt(1, 1, 1, { unit: 'u', count: 1 }), rowAt(1, 1, 1, { unit: 'u', count: 1 })],
    },
    'a row within a unit is missing': { position: 2, rows: [rowAt(1, 1, 1, { unit: 'u', count: 3 }), rowAt(3, 1, 1)] },
    'the end of a unit is missing': {
      position: 2,
      rows: [rowAt(1, 1, 1, { unit: 'u', count: 2 }), rowAt(2, 1, 2, { unit: 'v', count: 1 })],
    },
    'the head of a unit is missing': { position: 1, rows: [rowAt(1, 1, 0)] },
    'a head without its time': { position: 1, rows: [rowWith(rowAt(1, 1, 1, { unit: 'u', count: 1 }), { 5: null })] },
    'a row that is longer than its unit': { position: 1, rows: [rowAt(1, 3, 1, { unit: 'u', count: 2 })] },
    'a row with fewer events than it says': {
      position: 1,
      rows: [rowWith(rowAt(1, 2, 1, { unit: 'u', count: 2 }), { 7: '[{}]' })],
    },
    'a row with more events than it says': {
      position: 1,
      rows: [rowWith(rowAt(1, 1, 1, { unit: 'u', count: 1 }), { 7: '[{},{}]' })],
    },
  };

  test.each(Object.entries(broken))('%s', (_, { position, rows }) => {
    const assembler = new UnitAssembler(0);
    const take = (): unknown => rows.map((row) => assembler.take(row));
    expect(take).toThrow(expect.objectContaining({ code: 'LogCorrupted', position }));
  });
});

function rowAt(position: number, count: number, unit: number, meta?: { unit: string; count: number }): LogRow {
  const stream: StreamId = 'a/1';
  const events = JSON.stringify(Array.from({ length: count }, () => ({ type: 'T', schema: 1, data: {} })));
  return [
    `${position}`,
    `${count}`,
    `${unit}`,
    stream,
    `${position}`,
    meta === undefined ? null : '1700000000123.456000',
    meta === undefined ? null : JSON.stringify({ ...meta, ...sampleMeta }),
    events,
  ];
}

function rowWith(row: LogRow, fields: Record<number, string | null>): LogRow {
  return row.map((value, index) => (index in fields ? fields[index] : value)) as unknown as LogRow;
}
