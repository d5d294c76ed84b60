import { expect, test } from 'vitest';
import { firstMissing, isBetween } from './wal-segments.ts';

/** A hole in the archive is found before anybody relies on it. */
const last = '0000000100000000000000FE';

test('nothing is missing from an archive that ends somewhere', () => {
  expect(firstMissing(last, [])).toBeUndefined();
  expect(firstMissing(last, [last, '0000000100000000000000FF', '000000010000000100000000'])).toBeUndefined();
});

test('the first segment before a later one is missing, across the parts of a number', () => {
  expect(firstMissing(last, ['000000010000000100000001', '0000000100000000000000FF'])).toBe('000000010000000100000000');
  expect(firstMissing(last, ['000000010000000100000001'])).toBe('0000000100000000000000FF');
});

test('what is no segment, or of another timeline, does not count', () => {
  expect(firstMissing(last, ['00000002.history', '000000020000000100000009', 'kora-archive'])).toBeUndefined();
});

test('a range is of one timeline', () => {
  expect(isBetween('0000000100000000000000FF', last, '000000010000000100000000')).toBe(true);
  expect(isBetween('0000000200000000000000FF', last, '000000010000000100000000')).toBe(false);
  expect(isBetween('000000010000000100000001', last, '000000010000000100000000')).toBe(false);
});
