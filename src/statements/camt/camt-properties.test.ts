import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { formatDecimal } from '../../kernel/money.ts';
import { CamtWriter } from '../testing/camt-document.ts';
import { readAll, statementsOf } from '../testing/reading.ts';
import { camtReader } from './camt-reader.ts';

/** Whatever is written as a message comes back the same, in every version, and however the file is cut. */

const currency = fc.constantFrom('EUR', 'XOF', 'TND', 'CLF');
const size = fc.bigInt({ min: 0n, max: 10n ** 17n });
/** What XML can hold, less white space at the ends only: a text that is nothing else counts as none. */
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 35 })
  .map((one) => one.replaceAll(/[\p{Cc}\p{Cs}\p{Co}\p{Cn}\uFFFE\uFFFF\r]/gu, ''))
  .filter((one) => one.trim() !== '');

const entry = fc.record({
  size,
  credit: fc.boolean(),
  booked: fc.boolean(),
  parts: fc.array(fc.record({ size, endToEndId: text, remittance: fc.array(text, { maxLength: 3 }) }), {
    maxLength: 4,
  }),
  bank: text,
});
const message = fc.record({
  format: fc.constantFrom('camt.052', 'camt.053', 'camt.054'),
  version: fc.integer({ min: 2, max: 12 }),
  prefix: fc.constantFrom('', 'ns0', 'camt'),
  currency,
  opening: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
  entries: fc.array(entry, { maxLength: 6 }),
});
type Message = typeof message extends fc.Arbitrary<infer One> ? One : never;

const escaped = (one: string) => one.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A batch is as great as its parts; an entry without parts has a size of its own. */
const sizeOf = ({ size: own, parts }: Message['entries'][number]) =>
  parts.length === 0 ? own : parts.reduce((sum, part) => sum + part.size, 0n);

function written({ format, version, prefix, currency: code, opening, entries }: Message): string {
  const writer = new CamtWriter({ format, version, prefix });
  const more = { currency: code };
  const content = entries.map((one) => {
    const sign = one.credit ? 'CRDT' : 'DBIT';
    const details = one.parts.map((part) =>
      writer.detail(formatDecimal(part.size, code), {
        sign,
        currency: code,
        endToEndId: escaped(part.endToEndId),
        remittance: part.remittance.map(escaped),
      }),
    );
    return writer.entry(formatDecimal(sizeOf(one), code), {
      sign,
      currency: code,
      status: one.booked ? 'BOOK' : 'PDNG',
      reference: escaped(one.bank),
      details: details.join(''),
    });
  });
  const balance = formatDecimal(opening < 0n ? -opening : opening, code);
  const head = writer.balance('OPBD', balance, { ...more, sign: opening < 0n ? 'DBIT' : 'CRDT' });
  return writer.document([writer.statement([head, ...content], { currency: code })]);
}

describe('round trip', () => {
  test.prop([message], { numRuns: 300 })('what is written is what is read', (one) => {
    const { parts, error } = readAll(camtReader(), written(one));
    expect(error).toBeUndefined();
    expect(parts.filter(({ part }) => part === 'problem')).toEqual([]);
    const [statement] = statementsOf(parts);
    expect(statement?.head).toMatchObject({
      format: one.format,
      currency: one.currency,
      opening: { amount: one.opening },
    });
    const booked = one.entries.filter((entry) => entry.booked);
    expect(statement?.foot?.linesCount).toBe(booked.length);
    expect(
      statement?.lines.map(({ amount, bankReference, reference, text: remittance, batch }) => ({
        amount,
        bankReference,
        single: batch === undefined ? [reference, remittance] : undefined,
        parts: batch?.map((part) => [part.amount, part.reference, part.text]),
      })),
    ).toEqual(
      booked.map((entry) => {
        const sign = entry.credit ? 1n : -1n;
        const [only] = entry.parts;
        const single = only === undefined ? ['', ''] : [only.endToEndId, only.remittance.join('\n')];
        const isBatch = entry.parts.length > 1;
        return {
          amount: sign * sizeOf(entry),
          bankReference: entry.bank.trim(),
          single: isBatch ? undefined : single,
          parts: isBatch
            ? entry.parts.map((part) => [sign * part.size, part.endToEndId, part.remittance.join('\n')])
            : undefined,
        };
      }),
    );
  });

  test.prop(
    [message, fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 8 }), fc.nat(), fc.boolean()],
    {
      numRuns: 300,
    },
  )('any chunking gives the same parts and the same error', (one, sizes, cut, cuts) => {
    const whole = new TextEncoder().encode(written(one));
    const file = cuts ? whole.subarray(0, cut % whole.length) : whole;
    expect(readAll(camtReader(), file, sizes)).toEqual(readAll(camtReader(), file));
  });
});
