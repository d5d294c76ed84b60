import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectorKinds, deskOf, noTracing, parseConnectorsConfig } from '../../src/connectors/index.ts';
import { moduleRoles } from '../../src/modules.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type IntakeStage, intakeStage } from './support/intake.ts';
import { bookedHead, lineOf } from './support/plain-format.ts';

/** Proves that a connector's word on statements is the specification's: a file in, an id out; the id in, lines out. */
let database: TestDatabase;
let pool: pg.Pool;
let stage: IntakeStage;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool(asRole(database.poolConfig, moduleRoles.providers.role));
  stage = await intakeStage(pool);
});
afterAll(async () => {
  await stage.stop();
  await pool.end();
  await database.drop();
});

async function connectorOf(type: string, profile: string) {
  const kinds = connectorKinds();
  const document = {
    profiles: [{ id: profile, bank_name: 'A bank', supported_rails: [] }],
    connectors: [{ id: 'one', type, profile }],
  };
  const [config] = parseConnectorsConfig(document, kinds).connectors;
  const kind = kinds.find((one) => one.type === type);
  if (config === undefined || kind === undefined) throw new Error(`no kind ${type}`);
  const connector = kind.create({
    now: Date.now,
    tracing: noTracing,
    nonces: { claim: () => Promise.resolve(true) },
    onTrouble: () => undefined,
    statements: deskOf(stage.intake),
  });
  await connector.init(config);
  return { connector, config };
}

describe.each(['mt940', 'iso20022'])('a connector of kind %s', (type) => {
  it('takes a statement in and gives its lines back', async () => {
    const profile = `bank:${randomUUID()}`;
    const { connector } = await connectorOf(type, profile);
    const lines = [bookedHead, ...Array.from({ length: 250 }, (_, n) => lineOf(n - 100, `R${n}`, { bank: `B${n}` }))];
    const file = Buffer.from(lines.join('\n'));
    const meta = { bank_profile_id: profile, file_name: 'day.sta', received_at: '2026-11-27T10:00:00Z' };
    const { imported_id: id } = await connector.uploadStatement(file, meta);
    expect(await connector.uploadStatement(file, meta)).toEqual({ imported_id: id });
    const given = await connector.parseStatement(id);
    expect(given).toHaveLength(250);
    expect(given[7]).toEqual({
      statement_date: '2026-11-27',
      amount: '-93',
      currency: 'EUR',
      reference: 'R7',
      provider_ref: 'B7',
    });
    const elsewhere = { ...meta, bank_profile_id: 'bank:other' };
    await expect(connector.uploadStatement(file, elsewhere)).rejects.toMatchObject({ code: 'NotSupported' });
    await expect(connector.parseStatement(randomUUID())).rejects.toMatchObject({ code: 'UnknownStatement' });
  });

  it('moves no money', async () => {
    const { connector, config } = await connectorOf(type, `bank:${randomUUID()}`);
    expect(config.capabilities).toEqual({ collects: false, disburses: false, honoursKeys: false, findsByKey: false });
    expect(await connector.healthcheck()).toMatchObject({ healthy: true });
    expect(await connector.getPaymentStatus('any')).toMatchObject({ status: 'unknown' });
  });
});
