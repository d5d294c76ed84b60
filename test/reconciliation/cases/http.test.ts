import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HttpProduct, openProduct, type Someone } from '../../http/support/product.ts';
import { type OneCase, openOneCase } from '../support/one-case.ts';

let one: OneCase;
let caseId: string;
let product: HttpProduct;
let ama: Someone;
let admin: Someone;

beforeAll(async () => {
  one = await openOneCase();
  caseId = one.caseId;
  product = await openProduct({ reconciliation: one.reconciliation });
  [ama, admin] = [await product.user('reviewer'), await product.user('admin')];
});
afterAll(async () => {
  await product.close();
  await one.close();
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
