import { test } from '@fast-check/vitest';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { withChecks } from '../checks.ts';
import { meantStatement, mt940File, writing } from '../testing/mt940-document.ts';
import { problemsOf, readAll, statementsOf } from '../testing/reading.ts';
import { mt940Reader } from './mt940-reader.ts';

// Whatever a bank means is read back from however it writes it, and how the file is cut makes no difference.

const IGNORED = new Set(['DateImplausible', 'OpeningMismatch']);

describe('MT940', () => {
  test.prop([fc.array(meantStatement, { minLength: 1, maxLength: 4 }), writing])('round trip', (meant, how) => {
    const { parts, error } = readAll(withChecks(mt940Reader()), mt940File(meant, how));
    expect(error).toBeUndefined();
    const codes = problemsOf(parts).map(({ code }) => code);
    expect(codes.filter((code) => !IGNORED.has(code))).toEqual([]);
    const readBack = statementsOf(parts).map(({ head, lines, foot }) => ({
      account: head.account,
      currency: head.currency,
      sequence: Number(head.sequence),
      opening: head.opening?.amount,
      closing: foot?.closing?.amount,
      lines: lines.map((line) => ({
        valueDate: line.valueDate,
        entryDate: line.entryDate,
        amount: line.amount,
        reversal: line.reversal,
        reference: line.reference,
        bankReference: line.bankReference,
        supplementary: line.supplementary,
        text: line.text,
      })),
    }));
    expect(readBack).toEqual(meant);
  });

  test.prop([
    fc.array(meantStatement, { minLength: 1, maxLength: 3 }),
    writing,
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
    fc.constantFrom('utf-8', 'latin-1'),
    fc.option(fc.nat(4000), { nil: undefined }),
  ])('any cut into chunks gives the same parts', (meant, how, sizes, charset, spoiltAt) => {
    const file = mt940File(meant, how);
    const bytes =
      charset === 'utf-8' ? new TextEncoder().encode(file) : Uint8Array.from(file, (unit) => unit.charCodeAt(0) & 0xff);
    if (spoiltAt !== undefined) bytes[spoiltAt % bytes.length] = 0xc3;
    const whole = readAll(withChecks(mt940Reader()), bytes);
    expect(readAll(withChecks(mt940Reader()), bytes, sizes)).toEqual(whole);
  });
});
