import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lineLengthMax, readLines } from './read-lines.ts';

// Lines come as an editor counts them, whatever their ends and wherever the file's chunks end, and none fills the memory.

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kora-lines-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function linesOf(content: string, signal = new AbortController().signal): Promise<(string | undefined)[]> {
  const file = join(folder, 'file');
  await writeFile(file, content);
  const lines: (string | undefined)[] = [];
  for await (const { number, text } of readLines(file, signal)) {
    expect(number).toBe(lines.length + 1);
    lines.push(text);
  }
  return lines;
}

test('LF and CRLF end a line, a byte order mark begins none', async () => {
  expect(await linesOf('\uFEFFa\nb\r\n\r\nc')).toEqual(['a', 'b', '', 'c']);
  expect(await linesOf('a\n')).toEqual(['a']);
  expect(await linesOf('')).toEqual([]);
});

test('lines go over the ends of chunks', async () => {
  const many = Array.from({ length: 60_000 }, (_, index) => `line ${index} ž`);
  expect(await linesOf(many.join('\n'))).toEqual(many);
});

test('a line that is too long is known by its number only, the rest goes on', async () => {
  const long = 'x'.repeat(3 * 1024 * 1024);
  expect(await linesOf(`a\n${long}\nb\n${'y'.repeat(lineLengthMax)}\n${long}`)).toEqual([
    'a',
    undefined,
    'b',
    'y'.repeat(lineLengthMax),
    undefined,
  ]);
});

test('stops when it is asked to', async () => {
  const stop = new AbortController();
  stop.abort();
  expect(await linesOf('a\nb\nc', stop.signal)).toEqual(['a']);
});
