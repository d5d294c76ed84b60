import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { statusReportReader } from '../../src/statements/pain002/pain002-reader.ts';
import { readAll } from '../../src/statements/testing/reading.ts';

/** The status reports of real banks, with values that were read from them by eye. */

const folder = join(process.env['KORA_DATA'] ?? '', 'statements', 'pain002');
const missing = process.env['KORA_DATA'] === undefined || !existsSync(folder);

function sample(name: string) {
  const { parts, error } = readAll(statusReportReader(), readFileSync(join(folder, name)));
  expect(error).toBeUndefined();
  return {
    report: parts.find(({ part }) => part === 'report'),
    statuses: parts.flatMap((part) => (part.part === 'status' ? [part.status] : [])),
    codes: parts.flatMap((part) => (part.part === 'problem' ? [part.problem.code] : [])),
  };
}

describe.skipIf(missing)('pain.002 of banks (skipped unless KORA_DATA names a folder with statements/pain002)', () => {
  it('Cross River: a batch refused before its message id could be read; its namespace is misspelt', () => {
    const { report, statuses, codes } = sample('cross_river-pain_002_batch_rejected.xml');
    expect(report).toEqual({ part: 'report', msgId: 'abcdefg012345689', createdAt: '2020-11-02T07:56:06.228Z' });
    expect(statuses).toMatchObject([{ level: 'group', status: 'RJCT', outcome: 'refused', reasonCode: 'NARR' }]);
    expect(statuses[0]?.orgnlMsgId).toBeUndefined();
    expect(statuses[0]?.reasonText).toMatch(/^Error parsing file examplefile\.xml: .* Line 19, position 5\.$/);
    expect(codes).toEqual(['NamespaceMissing']);
  });

  it('Cross River: a credit and debits on their way', () => {
    expect(sample('cross_river-pain_002_credit_accepted.xml').statuses).toMatchObject([
      { level: 'group', orgnlMsgId: 'AMBCD10000000', status: 'ACTC', outcome: 'accepted' },
      { level: 'payment', pmtInfId: 'ABCD10000000', status: 'ACTC', outcome: 'accepted' },
      {
        level: 'transaction',
        pmtInfId: 'ABCD10000000',
        instrId: '100ABCD012345',
        endToEndId: '0000000000000108',
        bankReference: '46456456',
        status: 'ACSP',
        outcome: 'accepted',
      },
    ]);
    expect(
      sample('cross_river-pain_002_debit_accepted.xml').statuses.map((one) => [one.level, one.endToEndId, one.status]),
    ).toEqual([
      ['group', undefined, 'ACTC'],
      ['payment', undefined, 'ACTC'],
      ['transaction', 'DD1-1', 'ACSP'],
      ['transaction', 'DD1-2', 'ACSP'],
      ['transaction', 'DD1-3', 'ACSP'],
    ]);
  });

  it('Cross River: a group that is accepted with transactions that are refused', () => {
    const { statuses } = sample('cross_river-pain_002_transaction_rejected.xml');
    expect(statuses.map(({ level, status, outcome }) => [level, status, outcome])).toEqual([
      ['group', 'ACTC', 'accepted'],
      ['payment', 'RJCT', 'refused'],
      ['transaction', 'RJCT', 'refused'],
      ['transaction', 'RJCT', 'refused'],
      ['transaction', 'RJCT', 'refused'],
    ]);
    expect(statuses[4]).toMatchObject({
      instrId: 'example012345678',
      endToEndId: 'example012345678',
      reasonCode: 'NARR',
      reasonText: 'Instruction ID example012345678 already exist',
    });
  });

  it('Goldman Sachs: each level by itself, references with the spaces that were sent', () => {
    expect(sample('goldman_sachs-pain_002_v3_accepted.xml').statuses).toMatchObject([
      {
        level: 'transaction',
        orgnlMsgId: '10280093XXXX',
        pmtInfId: '3B-CCY',
        endToEndId: 'GSDGFKfLURaHb',
        bankReference: 'I200820000XXXXX',
        status: 'ACCP',
        outcome: 'accepted',
        reasonCode: 'NARR',
      },
    ]);
    expect(sample('goldman_sachs-pain_002_v3_group_accepted.xml').statuses).toMatchObject([
      {
        level: 'group',
        orgnlMsgId: 'CLIENT NAME_2023-09-06:04',
        status: 'ACTC',
        reasonText: 'File accepted post technical and profile validations\nOriginal File Name: 26951.json',
      },
    ]);
    expect(sample('goldman_sachs-pain_002_v3_payment_accepted.xml').statuses).toMatchObject([
      {
        level: 'payment',
        orgnlMsgId: '    XXX001_20220315_B_DZSOXXXX',
        pmtInfId: '    xxx001220315B000XXXX',
        status: 'ACCP',
      },
    ]);
  });

  it('Nordea: refused as a group, as a payment, and transaction by transaction', () => {
    expect(sample('nordea-pain_002_v3_group_reject.xml').statuses).toMatchObject([
      {
        level: 'group',
        orgnlMsgId: 'MSGID-PS-TEST-0708-01',
        status: 'RJCT',
        reasonCode: 'DU01',
        reasonText: 'ISO Duplicate Message ID',
      },
    ]);
    expect(sample('nordea-pain_002_v3_payment_reject.xml').statuses).toMatchObject([
      {
        level: 'payment',
        orgnlMsgId: 'MSGID-COM-SCE25-1707-01',
        pmtInfId: 'PMTINFID-COM-SCE25-1707-01',
        status: 'RJCT',
        reasonCode: 'NARR',
      },
    ]);
    const { statuses, codes } = sample('nordea-pain_002_v3_txn_reject.xml');
    expect(statuses.map((one) => [one.level, one.instrId, one.endToEndId, one.outcome])).toEqual([
      ['payment', undefined, undefined, 'refused'],
      ['transaction', 'INSTRID-950-TEST2-2807-02', 'ENDTOENDID-950-TEST2-2807-02', 'refused'],
      ['transaction', 'INSTRID-950-TEST2-2807-01', 'ENDTOENDID-950-TEST2-2807-01', 'refused'],
    ]);
    expect(codes).toEqual([]);
  });
});
