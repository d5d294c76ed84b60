import { createHash } from 'node:crypto';
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import type { DigestUnit } from './digest.ts';
import { digestOf, linkOf } from './digest.ts';

/** Proves that the digest is over framed bytes that others can make again, and that it tells any two contents apart. */
test('the digest is sha256 over frames that are written out here once more', () => {
  const units: DigestUnit[] = [
    {
      meta: '{"unit":"ü"}',
      rows: [
        { stream: 'a/😀', expect: 7, count: 2, events: '[{},{}]' },
        { stream: 'system/s', expect: null, count: 1, events: '[]' },
      ],
    },
    { meta: '', rows: [{ stream: 'b/1', expect: 0, count: 1, events: '' }] },
  ];
  const text = (value: string): Buffer => Buffer.concat([int4(Buffer.byteLength(value)), Buffer.from(value)]);
  const bytes = Buffer.concat([
    text('{"unit":"ü"}'),
    int4(2),
    ...[text('a/😀'), int8(7n), int4(2), text('[{},{}]')],
    ...[text('system/s'), int8(-1n), int4(1), text('[]')],
    text(''),
    int4(1),
    ...[text('b/1'), int8(0n), int4(1), text('')],
  ]);
  expect(digestOf(units)).toEqual(createHash('sha256').update(bytes).digest());
});

// Few letters and short texts, so that moving a letter over a border, or a row to the next unit, comes up often.
const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\u0000'), maxLength: 3 });
const contents = fc.array(
  fc.record({
    meta: letters,
    rows: fc.array(
      fc.record({
        stream: letters,
        expect: fc.option(fc.nat({ max: 2 })),
        count: fc.integer({ min: 1, max: 2 }),
        events: letters,
      }),
      { maxLength: 2 },
    ),
  }),
  { maxLength: 2 },
);

test.prop([contents, contents], { numRuns: 2_000 })(
  'different contents have different digests, equal ones equal',
  (one, other) => {
    const same = JSON.stringify(one) === JSON.stringify(other);
    expect(digestOf(one).equals(digestOf(other))).toBe(same);
  },
);

test('a link covers the hash before it, position, count, time and digest', () => {
  const previous = Buffer.alloc(32, 1);
  const digest = Buffer.alloc(32, 2);
  const link = linkOf(previous, 2 ** 40, 3, 1_700_000_000_123_456n, digest);
  const bytes = Buffer.concat([previous, int8(BigInt(2 ** 40)), int4(3), int8(1_700_000_000_123_456n), digest]);
  expect(link).toEqual(createHash('sha256').update(bytes).digest());
});

function int4(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function int8(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(value);
  return buffer;
}
