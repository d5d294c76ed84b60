import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { readAll } from '../testing/reading.ts';
import { statusReportReader } from './pain002-reader.ts';
import { statusFor } from './payment-status.ts';

/** Status reports of every version and level, and which status counts for which payment. */

const namespace = (version: number) =>
  `urn:iso:std:iso:20022:tech:xsd:pain.002.001.${String(version).padStart(2, '0')}`;

function report(content: string, version = 3): string {
  return `<Document xmlns="${namespace(version)}"><CstmrPmtStsRpt><GrpHdr><MsgId>R1</MsgId></GrpHdr>${content}</CstmrPmtStsRpt></Document>`;
}
const group = (status: string, more = '') =>
  `<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId>${status === '' ? '' : `<GrpSts>${status}</GrpSts>`}${more}</OrgnlGrpInfAndSts>`;
const payment = (id: string, status: string, transactions = '') =>
  `<OrgnlPmtInfAndSts><OrgnlPmtInfId>${id}</OrgnlPmtInfId>${status === '' ? '' : `<PmtInfSts>${status}</PmtInfSts>`}${transactions}</OrgnlPmtInfAndSts>`;
const transaction = (endToEndId: string, status: string, more = '') =>
  `<TxInfAndSts><OrgnlEndToEndId>${endToEndId}</OrgnlEndToEndId>${status === '' ? '' : `<TxSts>${status}</TxSts>`}${more}</TxInfAndSts>`;

function read(text: string) {
  const { parts, error } = readAll(statusReportReader(), text);
  return {
    statuses: parts.flatMap((part) => (part.part === 'status' ? [part.status] : [])),
    codes: parts.flatMap((part) => (part.part === 'problem' ? [part.problem.code] : [])),
    error,
  };
}

describe('a report', () => {
  it.each([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])(
    'of version %d is read at all levels, in the order of the file',
    (version) => {
      const text = report(
        group('PART') +
          payment('P1', 'ACSP', transaction('E1', 'ACSC') + transaction('E2', 'RJCT')) +
          payment('P2', 'PDNG'),
        version,
      );
      const { statuses, codes, error } = read(text);
      expect([codes, error]).toEqual([[], undefined]);
      expect(
        statuses.map((one) => [one.level, one.orgnlMsgId, one.pmtInfId, one.endToEndId, one.status, one.outcome]),
      ).toEqual([
        ['group', 'M1', undefined, undefined, 'PART', 'pending'],
        ['payment', 'M1', 'P1', undefined, 'ACSP', 'accepted'],
        ['transaction', 'M1', 'P1', 'E1', 'ACSC', 'settled'],
        ['transaction', 'M1', 'P1', 'E2', 'RJCT', 'refused'],
        ['payment', 'M1', 'P2', undefined, 'PDNG', 'pending'],
      ]);
    },
  );

  it.each([
    ['ACCP', 'accepted'],
    ['ACSP', 'accepted'],
    ['ACTC', 'accepted'],
    ['ACWC', 'accepted'],
    ['ACSC', 'settled'],
    ['ACCC', 'settled'],
    ['RJCT', 'refused'],
    ['CANC', 'refused'],
    ['PDNG', 'pending'],
    ['RCVD', 'pending'],
  ])('says by %s that a payment is %s', (status, outcome) => {
    expect(read(report(group(status))).statuses[0]?.outcome).toBe(outcome);
  });

  it('with a code that is not known says so and concludes nothing', () => {
    for (const status of ['XXXX', 'toString', '__proto__']) {
      const { statuses, codes } = read(report(group(status)));
      expect([statuses[0]?.status, statuses[0]?.outcome, codes]).toEqual([status, 'pending', ['StatusUnknown']]);
    }
  });

  it('gives a transaction without a status that of its payment, else of the group; without any it is a problem', () => {
    expect(read(report(group('ACSP') + payment('P', 'RJCT', transaction('E', '')))).statuses[2]?.status).toBe('RJCT');
    expect(read(report(group('ACSP') + payment('P', '', transaction('E', '')))).statuses[1]?.status).toBe('ACSP');
    expect(read(report(group('') + payment('P', '', transaction('E', '')))).codes).toEqual([
      'StatusMissing',
      'NoStatus',
    ]);
  });

  it('holds reasons, coded or the bank’s own, and several texts', () => {
    const reasons =
      '<StsRsnInf><AddtlInf>first</AddtlInf></StsRsnInf><StsRsnInf><Rsn><Prtry>B7</Prtry></Rsn><AddtlInf>second</AddtlInf></StsRsnInf>';
    expect(read(report(group('') + payment('P', '', transaction('E', 'RJCT', reasons)))).statuses[0]).toMatchObject({
      reasonCode: 'B7',
      reasonText: 'first\nsecond',
    });
  });

  it.each([
    [
      'a camt.053',
      `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt/></Document>`,
      'WrongDocument',
    ],
    ['another message', `<Document xmlns="${namespace(3)}"><X/></Document>`, 'WrongDocument'],
    ['cut off', report(group('ACSP')).slice(0, -20), 'Truncated'],
    ['of a DOCTYPE', `<!DOCTYPE a [<!ENTITY b "c">]>${report(group('ACSP'))}`, 'DoctypeRefused'],
  ])('that is %s is unreadable', (_, text, code) => {
    expect(read(text).error?.code).toBe(code);
  });

  it('of version 15 is read and said to be one; one without any status is a problem', () => {
    expect(read(report(group('ACSP'), 15))).toMatchObject({
      codes: ['VersionUnknown'],
      statuses: [{ status: 'ACSP' }],
    });
    expect(read(report(group(''))).codes).toEqual(['NoStatus']);
  });

  const status = fc.constantFrom('', 'ACSP', 'RJCT', 'ACSC', 'PART');
  const id = fc.stringMatching(/^[A-Za-z0-9-]{1,10}$/);
  const made = fc
    .tuple(status, fc.array(fc.tuple(id, status, fc.array(fc.tuple(id, status), { maxLength: 4 })), { maxLength: 4 }))
    .map(([groupStatus, payments]) =>
      report(
        group(groupStatus) +
          payments
            .map(([name, said, all]) => payment(name, said, all.map(([e2e, one]) => transaction(e2e, one)).join('')))
            .join(''),
      ),
    );

  test.prop([made, fc.array(fc.integer({ min: 1, max: 61 }), { minLength: 1, maxLength: 5 })])(
    'gives the same however it is cut',
    (text, sizes) => {
      expect(readAll(statusReportReader(), text, sizes)).toEqual(readAll(statusReportReader(), text));
    },
  );
});

describe('the status of one payment', () => {
  const { statuses } = read(
    report(
      group('ACSP') +
        payment('P1', 'PART', transaction('E1', 'RJCT') + transaction('E2', 'ACSC')) +
        payment('P2', 'CANC'),
    ),
  );
  const of = (pmtInfId: string, endToEndId: string, msgId = 'M1') =>
    statusFor(statuses, { msgId, pmtInfId, endToEndId })?.status;

  it.each([
    ['of its transaction where it is listed', 'P1', 'E1', 'RJCT'],
    ['of its payment where it is not', 'P1', 'E3', 'PART'],
    ['of another payment’s transaction of the same name never', 'P2', 'E1', 'CANC'],
    ['of the group where nothing narrower is said', 'P3', 'E9', 'ACSP'],
  ])('is that %s', (_, pmtInfId, endToEndId, status) => {
    expect(of(pmtInfId, endToEndId)).toBe(status);
  });

  it('is unknown for another message', () => {
    expect(of('P1', 'E1', 'M2')).toBeUndefined();
  });
});
