import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { csvLine } from './csv.ts';

/** Proves that a cell comes out of a CSV as it went in, and that no spreadsheet takes one for a formula. */
describe('a line of CSV', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['-2+3', "'-2+3"],
    ['\t=1', "'\t=1"],
    ['-2.50', '-2.50'],
    ['a "b", c', '"a ""b"", c"'],
  ])('writes %j as %j', (cell, written) => {
    expect(csvLine([cell])).toBe(`${written}\r\n`);
  });

  test.prop([
    fc.array(fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', 'a', '=', '-', '1') }), { minLength: 1 }),
  ])('is read back as what was written, but for the apostrophe', (cells) => {
    const read = readLine(csvLine(cells));
    expect(read.map((cell) => cell.replace(/^'/, ''))).toEqual(cells);
    for (const cell of read) if (!/^-?[0-9]+$/.test(cell)) expect(cell).not.toMatch(/^[=\-\r\n]/);
  });
});

function readLine(text: string): string[] {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += text[at] === '"' ? 2 : 1) cell += text[at] ?? '';
      at += 1;
    } else while (text[at] !== ',' && !text.startsWith('\r\n', at)) cell += text[at++] ?? '';
    cells.push(cell);
    if (text[at] !== ',') return cells;
    at += 1;
  }
}
