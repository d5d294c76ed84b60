import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { instantOf } from './instant.ts';

// An instant comes in as ISO 8601 with a zone, and goes on in UTC; nothing is guessed.
describe('instantOf', () => {
  it.each([
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.000Z'],
    ['2024-02-29T12:00Z', '2024-02-29T12:00:00.000Z'],
    ['2024-02-29T12:00:00.5Z', '2024-02-29T12:00:00.500Z'],
    ['2024-02-29T12:00:00.123456789Z', '2024-02-29T12:00:00.123Z'],
    ['2024-03-01T00:30:00+01:00', '2024-02-29T23:30:00.000Z'],
    ['1995-03-24T00:00:00-05:30', '1995-03-24T05:30:00.000Z'],
  ])('reads %s', (text, utc) => {
    expect(instantOf(text)).toBe(utc);
  });

  it.each([
    ['2024-02-29', 'a day is no instant'],
    ['2024-02-29T12:00:00', 'no zone'],
    ['2024-02-30T12:00:00Z', 'no such day'],
    ['2023-02-29T12:00:00Z', 'no leap year'],
    ['2024-13-01T12:00:00Z', 'no such month'],
    ['2024-00-01T12:00:00Z', 'no such month'],
    ['2024-02-29T24:00:00Z', 'no such hour'],
    ['2024-02-29T12:60:00Z', 'no such minute'],
    ['2024-02-29T12:00:60Z', 'leap seconds are not ours'],
    ['2024-02-29 12:00:00Z', 'a space'],
    ['2024-02-29t12:00:00z', 'lower case'],
    ['2024-02-29T12:00:00+1', 'half a zone'],
    ['9999-12-31T23:59:59-01:00', 'past the calendar in UTC'],
    ['+012024-02-29T12:00:00Z', 'more than four digits'],
    ['1709208000000', 'a number'],
    ['', 'nothing'],
    ['\u0000', 'not even text'],
  ])('refuses %j: %s', (text) => {
    expect(instantOf(text)).toBeUndefined();
  });

  it.prop([
    fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true }),
  ])('gives back what it wrote', (date) => {
    expect(instantOf(date.toISOString())).toBe(date.toISOString());
  });

  it.prop([fc.string()])('never throws', (text) => {
    expect(() => instantOf(text)).not.toThrow();
  });
});
