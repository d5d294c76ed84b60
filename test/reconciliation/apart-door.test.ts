import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpDoor, startReconciliationDoor } from '../../src/gateway/http/http-door.ts';
import { identityAtCore } from '../../src/identity-at-core.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { type CoreLink, coreLink } from '../../src/reconciliation/index.ts';
import { whyNoCore } from '../../src/reconciler.ts';
import {
  type Answered,
  type Asked,
  callAt,
  type HttpProduct,
  openProduct,
  signatureOf,
  type Someone,
} from '../http/support/product.ts';
import { from } from '../identity/support.ts';
import { type OneCase, openOneCase } from './support/one-case.ts';

/**
 * Proves that the door of a process that reconciles apart lets in whom the core lets in, and nobody else: it asks the core
 * about every token and every signature, and when the core does not answer, nobody is let in.
 */
let one: OneCase;
let product: HttpProduct;
let reviewer: Someone;
let admin: Someone;
const doors: HttpDoor[] = [];
const links: CoreLink[] = [];
let url: string;

async function doorBefore(core: string, token: string): Promise<string> {
  const link = coreLink({ url: core, token: () => Promise.resolve(token) });
  links.push(link);
  const door = await startReconciliationDoor({
    ...identityAtCore(link),
    reconciliation: one.reconciliation,
    pool: one.pool,
    core: () => whyNoCore(link),
    logger: createLogger({ level: 'silent', format: 'json', write: () => undefined }),
    host: '127.0.0.1',
    port: 0,
    secret: randomBytes(32),
  });
  doors.push(door);
  return `http://127.0.0.1:${door.port}`;
}
const tokenOf = ({ headers }: Someone): string => (headers['authorization'] ?? '').slice('Bearer '.length);

beforeAll(async () => {
  one = await openOneCase();
  product = await openProduct({ reconciliationUrl: 'https://cases.example' });
  [reviewer, admin] = [await product.user('reviewer'), await product.user('admin')];
  const verifying = await product.service(['identity:verify'], 'reconciliation');
  url = await doorBefore(product.url, tokenOf(verifying));
});
afterAll(async () => {
  await Promise.all(doors.map((door) => door.close()));
  for (const link of links) link.close();
  await product.close();
  await one.close();
});

const call = (who: Someone | undefined, method: string, path: string, asked: Asked = {}): Promise<Answered> =>
  callAt(url, who, method, path, asked);

describe('the door apart', () => {
  it('takes a case from the list to its end, by people of the core', async () => {
    const path = (step: string): string => `/v1/cases/${one.caseId}/${step}`;
    expect((await call(reviewer, 'GET', '/v1/cases?open=true')).body.items).toMatchObject([{ caseId: one.caseId }]);
    const assign = { body: { assignee: reviewer.principal } };
    expect((await call(reviewer, 'POST', path('assign'), assign)).status).toBe(200);
    const dismiss = { body: { resolution: { kind: 'dismiss' }, reason: 'it was reversed' } };
    expect((await call(reviewer, 'POST', path('resolve'), dismiss)).body.code).toBe('SignatureRequired');
    // Signed by somebody else's device.
    const body = JSON.stringify(dismiss.body);
    const others = { ...dismiss, headers: signatureOf(admin, 'POST', path('resolve'), body) };
    expect((await call(reviewer, 'POST', path('resolve'), others)).body.code).toBe('SignatureInvalid');
    const signed = { ...dismiss, headers: signatureOf(reviewer, 'POST', path('resolve'), body) };
    const resolved = await call(reviewer, 'POST', path('resolve'), signed);
    expect(resolved.body).toMatchObject({ state: 'ASSIGNED', proposal: { number: 1 } });
    const replayed = await call(reviewer, 'POST', path('resolve'), signed);
    expect([replayed.status, replayed.body.code]).toEqual([401, 'NonceReplayed']);
    // The nonce is spent at every door.
    expect((await product.call(reviewer, 'POST', path('resolve'), signed)).body.code).toBe('NonceReplayed');
    const approval = { body: { proposal: 1, reason: 'seen' }, signed: true } as const;
    expect((await call(reviewer, 'POST', path('approve'), approval)).body.code).toBe('SelfApproval');
    expect((await call(admin, 'POST', path('approve'), approval)).body).toMatchObject({ state: 'RESOLVED' });
    const history = await call(admin, 'GET', `/v1/cases/${one.caseId}`);
    expect(history.text).toContain(reviewer.principal);
    expect((await call(admin, 'GET', '/v1/cases.csv')).text).toContain(`${one.caseId},RESOLVED`);
    expect((await call(admin, 'GET', '/v1/reconciliation/report?date=2026-11-27')).body).toMatchObject({
      accounts: [],
    });
  });

  it('has nothing else', async () => {
    const service = await product.service();
    for (const path of ['/v1/payments', '/v1/accounts', '/v1/feeds/payments', '/openapi.json', '/v1/identity/me'])
      expect([path, (await call(service, 'GET', path)).status]).toEqual([path, 404]);
    expect((await call(undefined, 'GET', '/health/live')).status).toBe(200);
    expect((await call(undefined, 'GET', '/health/ready')).body).toMatchObject({
      ready: true,
      checks: { process: 'ok', database: 'ok', core: 'ok' },
    });
  });

  it('lets in whom the core would, and says why where it does not', async () => {
    const status = async (who: Someone | undefined): Promise<unknown[]> => {
      const { status, body } = await call(who, 'GET', '/v1/cases');
      return [status, body.code, (body as { reason?: string }).reason];
    };
    const someone = await product.user('reviewer');
    expect(await status(undefined)).toEqual([401, 'Unauthenticated', 'missing']);
    expect(await status(await product.user('customer'))).toEqual([403, 'Forbidden', undefined]);
    expect(await status(await product.service(['payments:read']))).toEqual([403, 'Forbidden', undefined]);
    expect((await status(await product.service(['cases:read'])))[0]).toBe(200);
    expect((await status(someone))[0]).toBe(200);
    const strangers = { ...someone, headers: { ...someone.headers, authorization: 'Bearer of.no.body' } };
    expect(await status(strangers)).toEqual([401, 'Unauthenticated', 'invalid']);
    const stolen = { ...someone, headers: { ...someone.headers, 'kora-device': 'another-device' } };
    expect(await status(stolen)).toEqual([401, 'Unauthenticated', 'wrong-device']);
    await product.must(someone, 'POST', '/v1/identity/log-out');
    expect(await status(someone)).toEqual([401, 'Unauthenticated', 'ended']);
    const former = await product.user('reviewer');
    const operator = { principal: 'user:operator', roles: ['admin'] };
    const userId = former.principal.slice('user:'.length);
    await product.identity.changeRoles(operator, { userId, roles: ['customer'] }, from());
    expect(await status(former)).toEqual([401, 'Unauthenticated', 'expired']);
  });

  it('lets nobody in while the core does not answer, or does not take this service, and says that it is not ready', async () => {
    const nowhere = createServer();
    await new Promise<void>((resolve) => nowhere.listen(0, '127.0.0.1', resolve));
    const { port } = nowhere.address() as AddressInfo;
    await new Promise((resolve) => nowhere.close(resolve));
    const unscoped = tokenOf(await product.service(['feeds:read'], 'reconciliation'));
    for (const at of [await doorBefore(`http://127.0.0.1:${port}`, 'none'), await doorBefore(product.url, unscoped)]) {
      const refused = await callAt(at, reviewer, 'GET', '/v1/cases', {});
      expect([refused.status, refused.body.code]).toEqual([503, 'Unavailable']);
      expect(await callAt(at, undefined, 'GET', '/health/ready', {})).toMatchObject({
        status: 503,
        body: { ready: false, checks: { database: 'ok', core: 'failed' } },
      });
      expect((await callAt(at, undefined, 'GET', '/health/live', {})).status).toBe(200);
    }
  });

  it('believes no answer that is none', async () => {
    const liar = createServer((request, response) => {
      request.resume();
      response.end(JSON.stringify({ ok: true, principal: { principal: 'user:x', roles: ['king'] } }));
    });
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
    const { port } = liar.address() as AddressInfo;
    const at = await doorBefore(`http://127.0.0.1:${port}`, 'none');
    expect((await callAt(at, reviewer, 'GET', '/v1/cases', {})).status).toBe(503);
    await new Promise((resolve) => liar.close(resolve).closeAllConnections());
  });
});

describe('the core, which reconciles nothing', () => {
  it.each([
    ['GET', '/v1/cases'],
    ['GET', '/v1/cases.csv'],
    ['GET', `/v1/cases/${'x'.repeat(27)}`],
    ['POST', `/v1/cases/${'x'.repeat(27)}/comment`],
    ['GET', '/v1/reconciliation/report?date=2026-11-27'],
  ])('says where cases are: %s %s', async (method, path) => {
    const body = method === 'POST' ? { body: { text: 'is it yours?' } } : {};
    const answer = await product.call(reviewer, method, path, body);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ code: 'ReconciledElsewhere', url: 'https://cases.example' });
    // Whoever may not ask is not told.
    expect((await product.call(await product.user('customer'), method, path, body)).status).toBe(403);
  });

  it('is asked who somebody is by services with the scope alone', async () => {
    const body = { token: tokenOf(reviewer), deviceId: reviewer.headers['kora-device'] };
    for (const path of ['/v1/identity/verify-token', '/v1/identity/verify-sensitive'])
      for (const who of [reviewer, admin, await product.service(['cases:read'])]) {
        const request = { ...body, method: 'POST', path: '/', bodySha256: '0'.repeat(64) };
        const asked = await product.call(who, 'POST', path, { body: path.endsWith('token') ? body : request });
        expect([path, asked.status]).toEqual([path, 403]);
      }
  });
});
