import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { camtReader } from '../../src/statements/camt/camt-reader.ts';
import { problemsOf, readAll, statementsOf } from '../../src/statements/testing/reading.ts';

/** The files of real banks, with values that were read from them by eye. */

const folder = join(process.env['KORA_DATA'] ?? '', 'statements', 'camt053');
const missing = process.env['KORA_DATA'] === undefined || !existsSync(folder);

function sample(name: string) {
  const { parts, error } = readAll(camtReader(), readFileSync(join(folder, name)));
  const statements = statementsOf(parts);
  return { statements, lines: statements.at(-1)?.lines ?? [], codes: problemsOf(parts).map(({ code }) => code), error };
}

const sumOf = (lines: readonly { readonly amount: bigint }[]) => lines.reduce((sum, { amount }) => sum + amount, 0n);

describe.skipIf(missing)('camt.053 of banks (skipped unless KORA_DATA names a folder with statements/camt053)', () => {
  it('ABN AMRO: batches with and without details, a previous closing balance as opening, reversals', () => {
    const { statements, lines, codes, error } = sample('abn_amro-example_camt.xml');
    expect([codes, error, statements.length]).toEqual([[], undefined, 1]);
    const [statement] = statements;
    expect(statement?.head).toEqual({
      format: 'camt.053',
      account: 'NL77ABNA0574908765',
      currency: 'EUR',
      reference: '0574908765.2013-04-02',
      sequence: '0070',
      page: 1,
      lastPage: true,
      opening: { amount: 100001n, date: '2013-03-28', kind: 'PRCD' },
    });
    expect(lines.map(({ amount }) => amount)).toEqual([
      100n,
      100n,
      100n,
      1000n,
      100n,
      -100n,
      -200n,
      -200n,
      -100n,
      700n,
      700n,
      -100n,
      -92100n,
    ]);
    expect(lines.map(({ reversal }) => reversal).filter(Boolean)).toHaveLength(2);
    expect(lines.map(({ batch }) => batch?.length)).toEqual([
      undefined,
      undefined,
      undefined,
      10,
      undefined,
      undefined,
      2,
      undefined,
      undefined,
      7,
      undefined,
      undefined,
      undefined,
    ]);
    expect(lines[0]).toMatchObject({
      valueDate: '2013-04-02',
      reference: '',
      bankReference: '2102830989503100038',
      text: '11.11.111.111 Naam Adres 7 2960 Dorp',
      transactionCode: 'PMNT/RCDT/NTAV',
      at: { line: 144 },
    });
    expect(lines[1]).toMatchObject({
      reference: 'NOTPROVIDED',
      bankReference: '3095D4322561459S0PS',
      text: 'OMSCHRIJVING',
      details: {
        counterpartyName: 'NAAM',
        counterpartyAccount: 'NL46ABNA0499998748',
        counterpartyBank: 'ABNANL2A',
      },
    });
    expect(lines[2]?.text).toBe('1234567812345678');
    expect(lines[9]).toMatchObject({
      reference: 'BATCHID',
      valueDate: '2012-04-02',
      batch: [
        { amount: 100n, reference: 'SDD SIT 024-1', details: { mandateId: 'mandateref24-1' } },
        {},
        {},
        {},
        {},
        {},
        {},
      ],
    });
    expect(statement?.foot?.closing).toEqual({ amount: 10001n, date: '2013-04-02', kind: 'CLBD' });
    expect(statement?.foot?.otherBalances.map(({ kind }) => kind)).toEqual([
      'CLAV',
      'FWAV',
      'FWAV',
      'FWAV',
      'FWAV',
      'FWAV',
    ]);
    expect(100001n + sumOf(lines)).toBe(10001n);
  });

  it('ING: both OPBD and PRCD, batches without details, a reversal whose sign is its effect', () => {
    const { statements, lines, codes } = sample('ing-example_camt.xml');
    expect(codes).toEqual([]);
    expect(statements[0]?.head).toMatchObject({
      account: 'NL08INGB0000001234',
      sequence: '03',
      opening: { amount: 100000n, date: '2014-01-03', kind: 'OPBD' },
    });
    expect(lines.map(({ amount }) => amount)).toEqual([
      35000n,
      12500n,
      12000n,
      27000n,
      12500n,
      -2500n,
      -30000n,
      -3000n,
      -3000n,
    ]);
    expect(lines[3]).toMatchObject({ reference: 'SCTBtchId20140103A2PSTN', bankReference: '3102766686999', text: '' });
    expect(lines[8]).toMatchObject({
      reversal: true,
      valueDate: '2013-12-20',
      entryDate: '2014-01-03',
      reference: '5000300060007000',
      details: { mandateId: 'DDMdtINGBC', references: { RtrRsn: 'MD06' } },
    });
    expect(statements[0]?.foot?.closing?.amount).toBe(160500n);
    expect(100000n + sumOf(lines)).toBe(160500n);
  });

  it('Nordea: structured and unstructured remittance, references of the payer', () => {
    const { statements, lines, codes } = sample('nordea-example_camt.xml');
    expect(codes).toEqual([]);
    expect(statements[0]?.head).toMatchObject({
      account: 'FI8529501800030574',
      sequence: '25',
      opening: { amount: 20050n },
    });
    expect(lines.map(({ amount, reference, text }) => [amount, reference, text])).toEqual([
      [1000000n, '20190501-E00005', '00000000000000001245'],
      [10050n, 'NOTPROVIDED', 'Free text max 140 characters and ma\nx 35 characters in one line'],
      [-70050n, '20190508-E123456', 'RF332348236'],
      [-30000n, 'NOTPROVIDED', 'Free text max 140 characters'],
      [-40000n, 'NOTPROVIDED', ''],
      [-10000n, '', 'CMS/Account Number'],
    ]);
    expect(lines[2]?.details?.references).toMatchObject({ PmtInfId: 'PMNTINFID08052019', InstrId: 'INSTRID20190508' });
    expect(20050n + sumOf(lines)).toBe(880050n);
    expect(statements[0]?.foot?.closing?.amount).toBe(880050n);
  });

  it('Goldman Sachs, UK: a statement without entries, and amounts of details that are not those of their entries', () => {
    const { statements, lines, codes } = sample('goldman_sachs-camt_053_uk_v2_1.xml');
    expect(statements.map(({ head, lines: { length } }) => [head.account, head.currency, length])).toEqual([
      ['60000635', 'GBP', 0],
      ['GB36GSLD04296250000970', 'GBP', 6],
    ]);
    expect(statements[0]?.foot).toMatchObject({ closing: { amount: 6820651n, kind: 'CLBD' }, linesCount: 0 });
    expect(lines.map(({ amount }) => amount)).toEqual([-10000n, -10000n, 10000n, -10000n, 10000n, -10000n]);
    expect(lines[2]).toMatchObject({
      reversal: true,
      valueDate: '2022-10-12',
      entryDate: '2023-10-09',
      reference: '00384068',
    });
    expect(lines[3]).toMatchObject({ text: 'Test3\nFX USD - GBP', details: { counterpartyBank: 'TESTTESTXXX' } });
    expect(codes).toEqual(['DetailsSumMismatch', 'DetailsSumMismatch', 'DetailsSumMismatch']);
  });

  it('Goldman Sachs, US: an entry in another currency, and a summary that does not count it', () => {
    const { statements, lines, codes } = sample('goldman_sachs-camt_053_us_v2_sample.xml');
    expect(statements[0]?.head).toMatchObject({
      account: 'DD01100056869',
      currency: 'USD',
      opening: { amount: -84368620n, kind: 'OPBD' },
    });
    expect(statements[0]?.foot?.closing).toEqual({ amount: -84666515n, date: '2023-09-30', kind: 'CLBD' });
    expect(lines).toHaveLength(15);
    expect(lines.filter(({ currency }) => currency !== undefined)).toMatchObject([
      { index: 7, amount: -2906n, currency: 'EUR' },
    ]);
    expect(lines[0]).toMatchObject({
      amount: 1000n,
      reversal: true,
      transactionCode: 'ACH Credit Reject',
      reference: 'GSGWGDNCTAHQM8',
    });
    expect(lines[14]?.reference).toBe(' CLIENTID200928A0000001');
    expect(codes).toEqual(['SummaryMismatch']);
  });
});
