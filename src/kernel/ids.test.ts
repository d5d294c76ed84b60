import { test as property, fc } from '@fast-check/vitest';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { commandIdOf, fingerprintOf, isAccountId, isPaymentId, paymentIdOf } from './ids.ts';

/** Proves that ids are stable for ever, and that what differs has different ids. */
describe('command ids', () => {
  it('are the first 27 characters of the base64url of a sha256, and will be for ever', () => {
    const text = 'kora/command/1 4:kora 7:service 3:k-1';
    const expected = createHash('sha256').update(text).digest('base64url').slice(0, 27);
    expect(commandIdOf('kora', 'service', 'k-1')).toBe(expected);
    expect(expected).toHaveLength(27);
    expect(isPaymentId(expected)).toBe(true);
  });

  it('do not depend on where one part ends and the next begins', () => {
    expect(commandIdOf('a', 'bc', 'd')).not.toBe(commandIdOf('ab', 'c', 'd'));
    expect(commandIdOf('a', 'b 1:c', 'd')).not.toBe(commandIdOf('a', 'b', 'c 1:d'));
  });

  const part = fc.string({ maxLength: 6, unit: fc.constantFrom('a', 'b', ' ', ':', '1', '2') });
  property.prop([fc.tuple(part, part, part), fc.tuple(part, part, part)])(
    'are equal only for equal parts',
    (one, other) => {
      expect(commandIdOf(...one) === commandIdOf(...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    },
  );

  it('of a payment is that of the command which made it', () => {
    expect(paymentIdOf('t', 'p', 'k')).toBe(commandIdOf('t', 'p', 'k'));
  });
});

describe('fingerprints', () => {
  it('ignore the order of fields, and fields that are absent', () => {
    expect(fingerprintOf({ b: 1, a: { d: [1n], c: 'x' } })).toBe(
      fingerprintOf({ a: { c: 'x', d: ['1'], e: undefined }, b: 1 }),
    );
    expect(fingerprintOf({})).toHaveLength(22);
  });

  it.each([
    [{ a: 1 }, { a: '1' }],
    [{ a: 'b' }, { b: 'a' }],
    [{ a: null }, {}],
    [{ a: ['b', 'c'] }, { a: ['b,c'] }],
    [{ a: ['b', 'c'] }, { a: ['c', 'b'] }],
    [{ a: '","b":"c' }, { a: '', b: 'c' }],
    [{ a: {} }, { a: [] }],
    [{ a: true }, { a: 'true' }],
  ])('tell %j from %j', (one, other) => expect(fingerprintOf(one)).not.toBe(fingerprintOf(other)));

  property.prop([fc.dictionary(fc.string(), fc.string()), fc.dictionary(fc.string(), fc.string())])(
    'are equal only for equal bodies',
    (one, other) => {
      const sorted = (body: Record<string, string>): unknown =>
        Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1));
      const equal = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
      expect(fingerprintOf(one) === fingerprintOf(other)).toBe(equal);
    },
  );
});

describe('account ids', () => {
  it.each(['a', 'A-1_b.c', '2378', 'x'.repeat(64)])('may be %s', (id) => expect(isAccountId(id)).toBe(true));
  it.each(['', 'float:cash:XOF', 'a/b', 'a b', 'é', 'a\n', 'x'.repeat(65)])('may not be %j', (id) =>
    expect(isAccountId(id)).toBe(false),
  );
});
