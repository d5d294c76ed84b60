import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { detectFormat, readerFor, StatementUnreadableError, type StatementPart } from '../../src/statements/index.ts';

// The sample files, read by eye: what stands in them is what the reader says, and what is wrong with them is told.

const folder = join(process.env['KORA_DATA'] ?? '', 'statements', 'mt940');
const missing = process.env['KORA_DATA'] === undefined || !existsSync(folder);

interface Seen {
  /** Account, currency, opening, closing, number of lines. */
  readonly statements: (readonly [string, string | undefined, bigint | undefined, bigint | undefined, number])[];
  /** Value date, entry date, amount, reference, bank reference. */
  readonly lines: (readonly [string, string | undefined, bigint, string, string])[];
  readonly texts: string[];
  readonly details: unknown[];
  readonly codes: string[];
  readonly format: string | undefined;
}

function seen(name: string, currency?: string): Seen {
  const bytes = readFileSync(join(folder, name));
  const format = detectFormat(bytes);
  const reader = readerFor(format === 'mt942' ? 'mt942' : 'mt940', currency === undefined ? {} : { currency });
  const parts: StatementPart[] = [...reader.push(bytes), ...reader.end()];
  const feet = parts.flatMap((part) => (part.part === 'foot' ? [part.foot] : []));
  const lines = parts.flatMap((part) => (part.part === 'line' ? [part.line] : []));
  return {
    format,
    statements: parts
      .flatMap((part) => (part.part === 'head' ? [part.head] : []))
      .map(({ account, currency, opening }, i) => [
        account,
        currency,
        opening?.amount,
        feet[i]?.closing?.amount,
        feet[i]?.linesCount ?? 0,
      ]),
    lines: lines.map((line) => [line.valueDate, line.entryDate, line.amount, line.reference, line.bankReference]),
    texts: lines.map(({ text }) => text),
    details: lines.map(({ details }) => details),
    codes: parts.flatMap((part) => (part.part === 'problem' ? [part.problem.code] : [])),
  };
}

function unreadable(name: string): unknown {
  try {
    seen(name);
    return undefined;
  } catch (error) {
    if (!(error instanceof StatementUnreadableError)) throw error;
    return { code: error.code, ...error.at };
  }
}

describe.skipIf(missing)(
  'sample files of MT940 (skipped unless KORA_DATA names a folder with statements/mt940)',
  () => {
    const none = undefined;

    test('abnamro', () => {
      const { statements, lines, texts, codes, format } = seen('mt940-abnamro.txt');
      expect(format).toBe('mt940');
      expect(statements).toEqual([
        ['517852257', 'EUR', 323628n, 87684n, 8],
        ['517852257', 'EUR', 287684n, 184975n, 2],
      ]);
      expect(lines).toEqual([
        ['2011-05-24', '2011-05-24', -900n, 'NONREF', ''],
        ['2011-05-21', '2011-05-23', -1159n, 'NONREF', ''],
        ['2011-05-23', '2011-05-23', -1163n, 'NONREF', ''],
        ['2011-05-22', '2011-05-23', -1180n, 'NONREF', ''],
        ['2011-05-21', '2011-05-23', -1345n, 'NONREF', ''],
        ['2011-05-21', '2011-05-23', -1549n, 'NONREF', ''],
        ['2011-05-21', '2011-05-23', -10700n, 'NONREF', ''],
        ['2011-05-22', '2011-05-23', -14148n, 'NONREF', ''],
        ['2011-05-24', '2011-05-24', -949n, 'NONREF', ''],
        ['2011-05-24', '2011-05-24', -1500n, 'NONREF', ''],
      ]);
      expect(texts[0]).toBe(
        'GIRO   428428 KPN - DIGITENNE    BETALINGSKENM.  000000042188659\n' +
          '5314606715                       BETREFT FACTUUR D.D. 20-05-2011\nINCL. 1,44 BTW',
      );
      expect(codes).toEqual(['BalanceMismatch', 'BalanceMismatch', 'OpeningMismatch']);
    });

    const marks: Seen['lines'] = [
      ['2013-10-17', none, -680000n, '16703074', ''],
      ['2013-10-17', none, -62030n, 'N', ''],
      ['2013-10-17', none, 1850000n, 'N', ''],
      ['2013-10-15', none, -1422000n, 'N', ''],
      ['2013-10-17', none, -150700n, 'N', ''],
      ['2013-10-24', none, 420000n, 'N', ''],
      ['2013-10-17', none, -1990000n, 'N', ''],
      ['2013-10-17', none, -40000n, 'N', ''],
      ['2013-10-18', none, 365674n, 'N', ''],
      ['2013-10-19', none, 2304000n, 'N', ''],
      ['2013-10-27', none, -586214n, 'N', ''],
    ];
    const salaries: Seen['lines'] = [
      ['2002-11-01', '2002-11-02', -80000n, 'NONREF', '55555'],
      ['2002-11-02', '2002-11-02', 300000n, 'NONREF', '55555'],
    ];
    const televisions: Seen['lines'] = [
      ['2003-10-20', '2003-10-20', 2000000n, 'NONREF', '8327000090031789'],
      ['2003-10-20', '2003-10-20', -1000000n, 'REF 25611247', '8327000090031790'],
      ['2003-10-20', '2003-10-20', 4000n, 'NONREF', '8327000090031791'],
    ];
    const threeBanks: Seen['statements'] = [
      ['45050050/76198810', 'DEM', 8434974n, 8443704n, 11],
      ['10020030/1234567', 'EUR', 218795n, 438795n, 2],
      ['BPHKPLPK/320000546101', 'PLN', 4000000n, 5004000n, 3],
    ];

    test('deutsche_bank', () => {
      const { statements, lines, details, codes } = seen('mt940-deutsche_bank.txt');
      expect(statements).toEqual(threeBanks);
      expect(lines).toEqual([...marks, ...salaries, ...televisions]);
      expect(details[0]).toEqual({ references: { OCMT: 'CAD47,11' } });
      expect(details[11]).toMatchObject({
        postingText: 'DAUERAUFTRAG',
        remittance: 'Miete November',
        counterpartyName: 'MUELLER',
      });
      expect(details[12]).toMatchObject({ counterpartyBank: '50060400', counterpartyAccount: '0847564700' });
      expect(details[13]).toMatchObject({ counterpartyAccount: 'PL08106000760000777777777777' });
      expect(codes).toEqual(['CurrencyWithdrawn', 'DateInvalid', 'DateImplausible']);
    });

    test('mt940: the same and once more the first', () => {
      const { statements, lines, codes } = seen('mt940.txt');
      expect(statements).toEqual([...threeBanks, threeBanks[0]]);
      expect(lines).toEqual([...marks, ...salaries, ...televisions, ...marks]);
      expect(codes).toEqual([
        'CurrencyWithdrawn',
        'DateInvalid',
        'DateImplausible',
        'CurrencyWithdrawn',
        'PageDuplicate',
        'PageBalanceMismatch',
      ]);
    });

    test('handelsbank: braces in a national character set', () => {
      const { statements, codes } = seen('mt940-handelsbank.txt');
      const empty = ['10020030/1234567', 'SEK', 0n, 0n, 0] as const;
      expect(statements).toEqual([empty, empty]);
      expect(codes).toEqual(['PageDuplicate']);
    });

    test('headers: a value date of the 68th of the 22nd month is not read', () => {
      expect(unreadable('mt940-headers.txt')).toEqual({ code: 'DateUnreadable', line: 8, column: 5 });
    });

    test('iso8859-1', () => {
      const { statements, lines, texts, details, codes } = seen('mt940-iso8859-1.txt');
      expect(statements).toEqual([threeBanks[1]]);
      expect(lines).toEqual(salaries);
      expect(texts[1]).toBe(
        '051?00ÜBERWEISUNG?100599?20Gehalt Oktob\ner\n?21Firma\nMüstermann\nGmbH?3050060400?31084756\n4700?32MÜLLER?34339',
      );
      expect(details[1]).toMatchObject({ postingText: 'ÜBERWEISUNG', counterpartyName: 'MÜLLER' });
      expect(codes).toEqual(['DateInvalid']);
    });

    test('windows-line-breaks', () => {
      const { statements, lines, texts, codes } = seen('mt940-windows-line-breaks.txt');
      expect(statements).toEqual([threeBanks[1]]);
      expect(lines).toEqual(salaries);
      expect(texts[1]).toBe(
        '051?00UEBERWEISUNG?100599?20Gehalt Oktober?21Firma\nMustermann GmbH?3050060400?310847564700?32MUELLER?34339',
      );
      // Lines of 2002 in a statement of 2016.
      expect(codes).toEqual(['DateImplausible', 'DateImplausible']);
    });

    test('with-colon-after-line-break', () => {
      const { statements, lines, texts, details, codes } = seen('mt940-with-colon-after-line-break.txt');
      expect(statements).toEqual([['45050050/76198810', 'DEM', 8434974n, none, 1]]);
      expect(lines).toEqual([['2013-10-17', none, -680000n, '16703074', '']]);
      expect(texts[0]).toContain('T03:46\n:08 Karten?25nr. 5355999999999975');
      expect(details[0]).toMatchObject({
        endToEndId: '000000000193592204',
        mandateId: 'CN3R3U',
        remittance:
          'STARTER//8449273399/US 22-04-2019T03:46:08 Kartennr. 5355999999999975  Original 49,00 USD 1 EUR/1,12385 USD  Entgelt 0,44 EUR',
        counterpartyBank: 'DEUTDEDBFRA',
        counterpartyAccount: 'DE19500700240004020480',
        counterpartyName: 'DEUTSCHE BANK',
        references: { CRED: 'DE7600200000132558', OCMT: 'CAD47,11' },
      });
      expect(codes).toEqual(['CurrencyWithdrawn', 'ClosingMissing']);
    });

    test('with-detailed-end-balance', () => {
      const { statements, lines, codes } = seen('mt940-with-detailed-end-balance.txt');
      expect(statements).toEqual([['45050050/76198810', 'EUR', 1000n, 1500n, 1]]);
      expect(lines).toEqual([['2016-01-01', '2016-02-22', 100n, 'NONREF', 'CT16-01-01-08.32']]);
      expect(codes).toEqual(['BalanceMismatch']);
    });

    test('mt942', () => {
      const { statements, lines, codes, format } = seen('mt942.txt');
      expect(format).toBe('mt942');
      const one = ['45050050/76198810', 'EUR', none, none, 1] as const;
      expect(statements).toEqual([one, one]);
      const line = ['2019-01-09', none, 979200n, 'NONREF', ''] as const;
      expect(lines).toEqual([line, line]);
      expect(codes).toEqual(['PageDuplicate']);
    });

    test('pieces of statements: without a head only for who says the currency', () => {
      const debit = ['2014-09-01', '2014-09-02', -162n, '0000549855700010', '025498557/000001'] as const;
      expect(unreadable('statement-mt940.txt')).toEqual({ code: 'HeaderMissing', line: 1, column: 1 });
      const two = seen('statement-mt940.txt', 'EUR');
      expect(two.lines).toEqual([debit, ['2014-01-04', '2013-12-29', -162n, '0000549855700010', '025498557/000001']]);
      expect(two.codes).toEqual(['HeaderMissing', 'AccountMissing', 'OpeningMissing', 'ClosingMissing']);

      const details = seen('statement-details-mt940.txt', 'EUR');
      expect(details.lines).toEqual([debit]);
      const interim = seen('statement-details-mt942.txt');
      expect(interim.statements).toEqual([['', 'EUR', none, none, 1]]);
      expect(interim.details[0]).toMatchObject({
        postingText: 'SEPA LASTSCHRIFT KUNDE',
        endToEndId: 'TRX-0A4A47C3-F846-4729-8A1B-5DF620F',
        mandateId: 'CAC97D2144174318AC18D9BF815BD4FB',
        counterpartyName: 'Peter Pan',
        remittance: 'FOO TRX-0A4A47C3-F846-4729-8A1B-5DF620F',
      });
      expect(interim.codes).toEqual(['AccountMissing']);
    });
  },
);
