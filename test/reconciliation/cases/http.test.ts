import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MemoryLog } from '../../../eventstore/index.ts';
import { migrate } from '../../../src/platform/postgres/migrate.ts';
import { caseIdOf } from '../../../src/reconciliation/cases/case-log.ts';
import {
  createCases,
  createReports,
  postgresDecisions,
  reconciliationMigrations,
} from '../../../src/reconciliation/index.ts';
import { type HttpProduct, openProduct, type Someone } from '../../http/support/product.ts';
import { createEmptyDatabase, type TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let pool: pg.Pool;
let product: HttpProduct;
let ama: Someone;
let admin: Someone;
const caseId = caseIdOf('e1');

beforeAll(async () => {
  database = await createEmptyDatabase();
  pool = new pg.Pool(database.poolConfig);
  const client = await pool.connect();
  await migrate(client, [reconciliationMigrations]);
  client.release();
  await pool.query(`insert into reconciliation.effects (sequence, id, kind, profile, line_ids, expectation_ids, detail, run_id)
    values (1, 'e1', 'missing_provider', 'bank:SN', '{}', '{p1}', '{"currency":"XOF","reason":"unknown","was":"OPEN"}', 'r')`);
  await pool.query('update reconciliation.carried_out_to set sequence = 1');
  await pool.query(`insert into reconciliation.expectations (number, id, profile, direction, amount, currency, date, position,
    withdrawn, body) values (1, 'p1', 'bank:SN', 'out', 700, 'XOF', '2026-11-27', 1, false, '{}')`);
  const refuses = () => Promise.resolve({ outcome: 'refused' as const, code: 'NotHere', message: 'no core' });
  const cases = createCases({
    pool,
    log: new MemoryLog(),
    core: { book: refuses, ask: refuses },
    decisions: postgresDecisions(pool),
  });
  await cases.goOn();
  const reports = createReports(pool, {
    statementBalances: () => Promise.resolve([]),
    posted: () => Promise.resolve(undefined),
  });
  product = await openProduct({ reconciliation: { cases, reports } });
  [ama, admin] = [await product.user('reviewer'), await product.user('admin')];
});
afterAll(async () => {
  await product.close();
  await pool.end();
  await database.drop();
});

/** Proves a case from the list to its end over http, by two people, and that what is exported is what is shown. */
it('is listed, given, proposed, approved by another, and exported', async () => {
  const list = await product.must(ama, 'GET', '/v1/cases?open=true&kind=missing_provider');
  expect(list.body.items).toMatchObject([
    { caseId, state: 'OPEN', amount: '700', direction: 'out', paymentIds: ['p1'] },
  ]);
  const post = (who: Someone, step: string, body: object) =>
    product.call(who, 'POST', `/v1/cases/${caseId}/${step}`, { body, signed: true });
  const dismiss = { resolution: { kind: 'dismiss' }, reason: 'it was reversed' };
  expect((await post(ama, 'resolve', dismiss)).status).toBe(409);
  await product.must(ama, 'POST', `/v1/cases/${caseId}/assign`, { body: { assignee: ama.principal } });
  await product.must(ama, 'POST', `/v1/cases/${caseId}/comment`, { body: { text: '=the bank, "says", so' } });
  const unsigned = await product.call(ama, 'POST', `/v1/cases/${caseId}/resolve`, { body: dismiss });
  expect(unsigned.body.code).toBe('SignatureRequired');
  const wrong = await post(ama, 'resolve', {
    ...dismiss,
    resolution: { kind: 'write_off', entry: 'CASH_IN', amount: '1' },
  });
  expect([wrong.status, wrong.body.code]).toEqual([400, 'Invalid']);
  expect((await post(ama, 'resolve', dismiss)).body).toMatchObject({ state: 'ASSIGNED', proposal: { number: 1 } });
  expect((await post(ama, 'approve', { proposal: 1, reason: 'mine' })).body.code).toBe('SelfApproval');
  expect((await post(admin, 'approve', { proposal: 1, reason: 'seen' })).body).toMatchObject({
    state: 'RESOLVED',
    cause: 'dismiss',
  });
  const { text } = await product.must(ama, 'GET', `/v1/cases/${caseId}`);
  expect(text).toContain('it was reversed');
  expect((await post(ama, 'escalate', { reason: 'late' })).body).toMatchObject({
    code: 'IllegalTransition',
    state: 'RESOLVED',
  });
  const csv = await product.must(admin, 'GET', '/v1/cases.csv?state=RESOLVED');
  expect(csv.headers.get('content-type')).toContain('text/csv');
  expect(csv.text.split('\r\n')[1]).toContain(`${caseId},RESOLVED,missing_provider,bank:SN,out,700,XOF,unknown,`);
  const page = await product.must(admin, 'GET', '/v1/reconciliation/report?date=2026-11-27&format=html');
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(page.text).toContain('<h1>Reconciliation, 2026-11-27</h1>');
  expect((await product.must(admin, 'GET', '/v1/reconciliation/report?date=2026-11-27')).body).toMatchObject({
    accounts: [],
  });
  expect((await product.call(admin, 'GET', '/v1/reconciliation/report?date=2026-02-31')).status).toBe(400);
});
