import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectorKinds, parseConnectorsConfig } from '../../src/connectors/index.ts';
import { termsOf } from '../../src/connectors/statements/profile-statements.ts';
import { moduleRoles } from '../../src/modules.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { CamtWriter } from '../../src/statements/testing/camt-document.ts';
import { schemaProblems } from '../../src/statements/xml/schema-check.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { bytesOf, type IntakeStage, intakeStage } from './support/intake.ts';

/** Proves that a file is held against the schema of its bank profile before any of its lines counts. */
const writer = new CamtWriter({ format: 'camt.053', version: 2 });
const whole = () => writer.document([writer.statement([writer.entry('1.00')])]);
const xsd = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="${writer.namespace}"
    targetNamespace="${writer.namespace}" elementFormDefault="qualified">
  <xs:element name="Document"><xs:complexType><xs:sequence><xs:element name="BkToCstmrStmt"><xs:complexType><xs:sequence>
    <xs:element name="GrpHdr"><xs:complexType><xs:sequence>
      <xs:element name="MsgId"><xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="35"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="CreDtTm" type="xs:dateTime"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
</xs:schema>`;
const tooLong = () => whole().replace('<MsgId>M1<', `<MsgId>${'M'.repeat(36)}<`);

let database: TestDatabase;
let pool: pg.Pool;
let stage: IntakeStage;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kora-schema-'));
  await writeFile(join(folder, 'camt.xsd'), xsd);
  database = await createTestDatabase();
  pool = new pg.Pool(asRole(database.poolConfig, moduleRoles.providers.role));
  stage = await intakeStage(pool, {
    terms: (id) => {
      const schemas = { [writer.namespace]: join(folder, 'camt.xsd') };
      const profile = { id, bank_name: 'A bank', supported_rails: [], statements: { schemas } };
      const [filled] = parseConnectorsConfig({ profiles: [profile], connectors: [] }, connectorKinds()).profiles;
      return filled && termsOf(filled);
    },
  });
});
afterAll(async () => {
  await stage.stop();
  await pool.end();
  await database.drop();
  await rm(folder, { recursive: true });
});

describe('a camt.053 of a profile with a schema', () => {
  const taken = async (document: string) => {
    const { id } = await stage.take(`bank:${randomUUID()}`, [document]);
    return stage.intake.file(id);
  };

  it('comes in where it fits, and is quarantined with its line where it does not', async () => {
    expect(await taken(whole())).toMatchObject({ status: 'parsed' });
    expect(await taken(tooLong())).toMatchObject({
      status: 'quarantined',
      findings: { problemsCount: 1, problems: [{ code: 'SchemaMismatch', line: 2 }] },
    });
  });

  it('of a namespace without a schema is not checked', async () => {
    const { findings } = await taken(tooLong().replaceAll('053.001.02', '053.001.08'));
    expect(findings?.unreadable).toBeUndefined();
    expect(findings?.problems.map(({ code }) => code)).not.toContain('SchemaMismatch');
  });
});

it('says of a document that is too large that it was not checked', async () => {
  const path = join(folder, 'camt.xsd');
  expect(await schemaProblems(bytesOf([tooLong()]), path, readFile, 100)).toMatchObject([{ code: 'SchemaUnchecked' }]);
  expect(await schemaProblems(bytesOf([tooLong()]), path, readFile)).toMatchObject([{ code: 'SchemaMismatch' }]);
});
