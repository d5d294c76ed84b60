import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { FieldReader } from './field-reader.ts';

const reading = <T>(read: (fields: FieldReader) => T): { value: T; wrong: string | undefined } => {
  const fields = new FieldReader();
  return { value: read(fields), wrong: fields.wrong?.message };
};

// Every field says what is wrong with it and what to do; what passes is exactly what was sent.
describe('FieldReader', () => {
  it.prop([fc.bigInt({ min: 0n, max: 10n ** 30n - 1n })])('reads every amount of minor units', (amount) => {
    expect(reading((fields) => fields.amount('amount', amount.toString()))).toEqual({
      value: amount,
      wrong: undefined,
    });
  });

  it.each([
    '',
    '-1',
    '+1',
    '01',
    '00',
    '1.0',
    '1e3',
    '1_000',
    '1,000',
    ' 1',
    '1\n',
    '0x10',
    '١',
    'NaN',
    '9'.repeat(31),
  ])('refuses %j as an amount', (text) => {
    expect(reading((fields) => fields.amount('captureAmount', text)).wrong).toMatch(
      /^captureAmount: .*minor units as text/,
    );
  });

  it.prop([fc.string({ unit: 'binary' })])('takes exactly the well-formed texts without NUL as keys', (key) => {
    const right = key.length >= 1 && key.length <= 255 && key.isWellFormed() && !key.includes('\0');
    const { value, wrong } = reading((fields) => fields.idempotencyKey(key));
    expect(value).toBe(key);
    if (right) expect(wrong).toBeUndefined();
    else expect(wrong).toMatch(/^idempotencyKey: /);
  });

  it.each([
    ['', 'idempotencyKey: is empty: give every command a key of its own'],
    ['k'.repeat(256), 'idempotencyKey: has 256 characters: 255 at most'],
    ['a\0b', 'idempotencyKey: holds a NUL character'],
    ['a\ud800', 'idempotencyKey: holds half a surrogate pair: it is no Unicode text'],
  ])('says of the key %j: %s', (key, wrong) => {
    expect(reading((fields) => fields.idempotencyKey(key)).wrong).toBe(wrong);
  });

  it('keeps the first of several faults', () => {
    const { wrong } = reading((fields) => [fields.currency('EURO'), fields.amount('amount', 'x')]);
    expect(wrong).toBe('currency: "EURO" is no currency of ISO 4217, such as "XOF"');
  });

  it('names what may be chosen', () => {
    const names = { 1: 'ONE', 2: 'TWO' } as const;
    expect(reading((fields) => fields.oneOf('kind', 0, names, 'ONE')).wrong).toBe('kind: is missing: one of ONE, TWO');
    expect(reading((fields) => fields.oneOf('kind', 9, names, 'ONE')).wrong).toBe('kind: is none: one of ONE, TWO');
    expect(reading((fields) => fields.oneOf('kind', 2, names, 'ONE')).value).toBe('TWO');
  });

  it.each(['float:cash:XOF', '', 'a b', 'ä', 'a'.repeat(65), '../x'])('refuses %j as the id of a wallet', (id) => {
    expect(reading((fields) => fields.accountId('payer', id)).wrong).toMatch(/^payer: is no id of a wallet/);
  });

  it.each(['', 'short', 'abcdefghijklmnopqrstuvwxyz/', 'a'.repeat(28)])('refuses %j as the id of a payment', (id) => {
    expect(reading((fields) => fields.paymentId('original', id)).wrong).toMatch(/^original: is no id of a payment/);
  });

  it.each(['', 'two words', 'ü', 'x'.repeat(129), 'line\nbreak'])('refuses %j as a correlation id', (id) => {
    expect(reading((fields) => fields.correlationId('correlationId', id)).wrong).toMatch(/^correlationId: is 1 to 128/);
  });
});
