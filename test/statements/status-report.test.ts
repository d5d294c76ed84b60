import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectorKinds, parseConnectorsConfig } from '../../src/connectors/index.ts';
import { termsOf } from '../../src/connectors/statements/profile-statements.ts';
import type { ReportedStatus } from '../../src/connectors/statements/status-report.ts';
import { moduleRoles } from '../../src/modules.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type IntakeStage, intakeStage, tester } from './support/intake.ts';

/** Proves that what a bank's status report says of payments reaches them, and that what reaches none is told to a person. */
let database: TestDatabase;
let pool: pg.Pool;
let stage: IntakeStage;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool(asRole(database.poolConfig, moduleRoles.providers.role));
  stage = await intakeStage(pool, {
    terms: (id) => {
      const profile = { id, bank_name: 'A bank', supported_rails: [] };
      const [filled] = parseConnectorsConfig({ profiles: [profile], connectors: [] }, connectorKinds()).profiles;
      return filled && termsOf(filled);
    },
  });
});
afterAll(async () => {
  await stage.stop();
  await pool.end();
  await database.drop();
});

const report = (
  ...transactions: readonly (readonly [reference: string, status: string, reason?: string])[]
): string[] => [
  '<?xml version="1.0" encoding="UTF-8"?>',
  '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt>',
  `<GrpHdr><MsgId>${randomUUID().slice(0, 20)}</MsgId><CreDtTm>2026-11-27T10:00:00</CreDtTm></GrpHdr>`,
  '<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.03</OrgnlMsgNmId></OrgnlGrpInfAndSts>',
  '<OrgnlPmtInfAndSts><OrgnlPmtInfId>P-1</OrgnlPmtInfId>',
  ...transactions.map(([reference, status, reason]) =>
    [
      `<TxInfAndSts><OrgnlEndToEndId>${reference}</OrgnlEndToEndId><TxSts>${status}</TxSts>`,
      reason === undefined ? '' : `<StsRsnInf><Rsn><Cd>${reason}</Cd></Rsn></StsRsnInf>`,
      `<AcctSvcrRef>B-${reference}</AcctSvcrRef></TxInfAndSts>`,
    ].join(''),
  ),
  '</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>',
];

describe('a pain.002', () => {
  const wide = (group: string, ...payments: readonly string[]): string[] => [
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt>',
    `<GrpHdr><MsgId>${randomUUID().slice(0, 20)}</MsgId><CreDtTm>2026-11-27T10:00:00</CreDtTm></GrpHdr>`,
    `<OrgnlGrpInfAndSts><OrgnlMsgId>payout-1</OrgnlMsgId>${group}</OrgnlGrpInfAndSts>`,
    ...payments,
    '</CstmrPmtStsRpt></Document>',
  ];
  const payment = (id: string, status: string, transactions = ''): string =>
    `<OrgnlPmtInfAndSts><OrgnlPmtInfId>${id}</OrgnlPmtInfId>${status}${transactions}</OrgnlPmtInfAndSts>`;
  async function toldBy(lines: readonly string[], known = true): Promise<[string, ReportedStatus[]]> {
    const on = stage.again();
    const told: ReportedStatus[] = [];
    on.tellStatuses((_, reported) => Promise.resolve(told.push(reported) > 0 && known));
    const { id } = await stage.take(`bank:${randomUUID()}`, lines, on);
    return [(await on.file(id)).status, told];
  }
  const refused = (code: string, providerRef: string) => ({ status: 'refused', code, elsewhere: false, providerRef });

  it('says of a whole message what it does not say of less, when it is known what that is', async () => {
    const listed =
      '<TxInfAndSts><OrgnlEndToEndId>one</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>' +
      '<TxInfAndSts><OrgnlInstrId>two</OrgnlInstrId><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId></TxInfAndSts>';
    const reason = '<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>';
    const [status, told] = await toldBy(
      wide(reason, payment('p-1', '<PmtInfSts>ACCC</PmtInfSts>', listed), payment('p-2', '')),
    );
    expect(status).toBe('parsed');
    expect(told).toEqual([
      { references: ['one'], status: { status: 'confirmed', providerRef: 'one' } },
      { references: ['two'], status: { status: 'confirmed', providerRef: 'two' } },
      {
        references: ['p-1'],
        status: { status: 'confirmed', providerRef: 'p-1' },
        exceptFor: new Set(['one', 'two']),
      },
      { references: ['payout-1'], status: refused('AM04', 'payout-1'), exceptFor: new Set(['one', 'two', 'p-1']) },
    ]);
  });

  it('that has only some of its payments accepted (PART) says nothing of those that it does not list', async () => {
    expect(await toldBy(wide('<GrpSts>PART</GrpSts>'))).toEqual(['parsed', []]);
  });

  it('whose message is not known here is held, unless it only says that what it lists is on its way', async () => {
    expect((await toldBy(wide('<GrpSts>RJCT</GrpSts>'), false))[0]).toBe('quarantined');
    expect((await toldBy(wide('<GrpSts>ACCP</GrpSts>'), false))[0]).toBe('quarantined');
    const listed = '<TxInfAndSts><OrgnlEndToEndId>one</OrgnlEndToEndId><TxSts>PDNG</TxSts></TxInfAndSts>';
    expect((await toldBy(wide('<GrpSts>ACCP</GrpSts>', payment('p', '', listed)), false))[0]).toBe('parsed');
  });

  it('is told to the payments that it names, when somebody carries payments', async () => {
    const profile = `bank:${randomUUID()}`;
    const on = stage.again();
    const lines = report(['one', 'ACSC'], ['two', 'RJCT', 'AC04'], ['three', 'ACSP'], ['four', 'PDNG']);
    const { id } = await stage.take(profile, lines, on);
    expect((await on.file(id)).status).toBe('received');
    const told: ReportedStatus[] = [];
    on.tellStatuses((of, reported) => {
      expect(of).toBe(profile);
      told.push(reported);
      return Promise.resolve(true);
    });
    await on.resume();
    expect(await on.file(id)).toMatchObject({ status: 'parsed', findings: { formats: ['pain.002'], statuses: 4 } });
    expect(told).toEqual([
      { references: ['one'], status: { status: 'confirmed', providerRef: 'B-one' } },
      { references: ['two'], status: { status: 'refused', code: 'AC04', elsewhere: false, providerRef: 'B-two' } },
      { references: ['three'], status: { status: 'pending', providerRef: 'B-three' } },
    ]);
  });

  it('that names payments which are not here is held for a person', async () => {
    const on = stage.again();
    on.tellStatuses((_, { references }) => Promise.resolve(references.includes('ours')));
    const { id } = await stage.take(`bank:${randomUUID()}`, report(['ours', 'ACSC'], ['theirs', 'ACSC']), on);
    expect(await on.file(id)).toMatchObject({
      status: 'quarantined',
      findings: { problems: [{ code: 'PaymentUnknown' }] },
    });
    expect((await on.release(id, tester)).status).toBe('parsed');
  });
});
