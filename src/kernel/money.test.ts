import { test as property, fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { currencies, exponentOf } from './currencies.ts';
import { AMOUNT_MAX, formatDecimal, formatMinor, parseDecimal, parseMinor } from './money.ts';

/** Proves that every amount has one text, that every text is read as what it says or not at all, and never guessed. */
describe('minor units', () => {
  it.each(['', ' 1', '1 ', '+1', '-0', '00', '01', '-01', '1.0', '1e3', '0x10', '1_000', '١', '-', '--1', '1\n'])(
    'refuses %j',
    (text) => expect(parseMinor(text)).toMatchObject({ error: 'NotAnAmount' }),
  );

  it('takes 30 digits and no more', () => {
    expect(parseMinor('9'.repeat(30))).toBe(AMOUNT_MAX);
    expect(parseMinor(`-${'9'.repeat(30)}`)).toBe(-AMOUNT_MAX);
    expect(parseMinor(`1${'0'.repeat(30)}`)).toMatchObject({ error: 'TooLong' });
    expect(parseMinor('9'.repeat(1_000_000))).toMatchObject({ error: 'TooLong' });
  });

  property.prop([fc.bigInt({ min: -AMOUNT_MAX, max: AMOUNT_MAX })])('are read as they were written', (amount) => {
    expect(parseMinor(formatMinor(amount))).toBe(amount);
  });
});

describe('decimal amounts', () => {
  it.each([
    ['700.00', 'CZK', 70_000n],
    ['700.5', 'CZK', 70_050n],
    ['700', 'CZK', 70_000n],
    ['-0.01', 'GHS', -1n],
    ['1.234', 'TND', 1_234n],
    ['500', 'XOF', 500n],
    ['0.0001', 'CLF', 1n],
  ])('reads %s %s', (text, currency, minor) => expect(parseDecimal(text, currency)).toBe(minor));

  it.each([
    ['700.001', 'CZK', 'TooPrecise'],
    ['700.000', 'CZK', 'TooPrecise'],
    ['1.0', 'XOF', 'TooPrecise'],
    ['1', 'XAU', 'UnknownCurrency'],
    ['1', 'czk', 'UnknownCurrency'],
    ['.5', 'CZK', 'NotAnAmount'],
    ['5.', 'CZK', 'NotAnAmount'],
    ['1,5', 'CZK', 'NotAnAmount'],
    ['1 000', 'CZK', 'NotAnAmount'],
    ['1'.repeat(29), 'CZK', 'TooLong'],
    ['1'.repeat(31), 'XOF', 'TooLong'],
  ])('refuses %s %s: %s', (text, currency, error) => expect(parseDecimal(text, currency)).toMatchObject({ error }));

  property.prop([fc.bigInt({ min: -AMOUNT_MAX, max: AMOUNT_MAX }), fc.constantFrom(...currencies)])(
    'are read as they were written, in every currency',
    (amount, currency) => {
      expect(parseDecimal(formatDecimal(amount, currency), currency)).toBe(amount);
    },
  );

  it('are written with all decimals of the currency', () => {
    expect(formatDecimal(70_000n, 'CZK')).toBe('700.00');
    expect(formatDecimal(-5n, 'TND')).toBe('-0.005');
    expect(formatDecimal(700n, 'XOF')).toBe('700');
    expect(() => formatDecimal(1n, 'ZZZ')).toThrow(RangeError);
  });
});

describe('currencies', () => {
  it.each([
    ['XOF', 0],
    ['GHS', 2],
    ['TND', 3],
    ['CLF', 4],
    ['CZK', 2],
    ['XXX', undefined],
    ['toString', undefined],
  ])('%s has %s decimals', (currency, exponent) => expect(exponentOf(currency)).toBe(exponent));

  it('are those of ISO 4217, once each', () => {
    expect(currencies).toHaveLength(167);
    expect(new Set(currencies).size).toBe(167);
    expect(currencies.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true);
  });
});
