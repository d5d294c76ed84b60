import { describe, expect, it } from 'vitest';
import { InvariantError } from './invariant.ts';
import { hasCome } from './time.ts';

/** Proves that instants are compared as instants, whatever their number of decimals. */
describe('hasCome', () => {
  it('is true at the instant itself and after it', () => {
    expect(hasCome('2024-03-01T12:00:00.000Z', '2024-03-01T11:59:59.999Z')).toBe(false);
    expect(hasCome('2024-03-01T12:00:00.000Z', '2024-03-01T12:00:00.000Z')).toBe(true);
    expect(hasCome('2024-03-01T12:00:00.000Z', '2024-03-01T12:00:00.001Z')).toBe(true);
  });

  it('does not compare texts', () => {
    expect(hasCome('2024-03-01T12:00:00Z', '2024-03-01T12:00:00.000Z')).toBe(true);
    expect(hasCome('2024-03-01T12:00:00.000Z', '2024-03-01T12:00:00Z')).toBe(true);
  });

  it('throws on what is no instant', () => {
    expect(() => hasCome('soon', '2024-03-01T12:00:00Z')).toThrow(InvariantError);
  });
});
