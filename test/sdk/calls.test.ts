/** What the client makes of what comes back, or does not: from the real door, and from gateways that speak in its place. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { KoraFault } from '../../sdk/index.ts';
import { granted, Kora } from '../../sdk/index.ts';
import { newLogin, password } from './support/scenarios.ts';
import { openStage, type Stage } from './support/stage.ts';

const ratePerMinute = 200;
let stage: Stage;
let kora: Kora;
let wallet: string;

beforeAll(async () => {
  stage = await openStage({ KORA_HTTP_RATE_PER_SERVICE: String(ratePerMinute) });
  const retry = { attemptsMax: 3, delayMs: 20, delayMsMax: 2_000 };
  kora = new Kora({ ...stage.urls, token: await stage.serviceToken(), retry, timeoutMs: 500 });
  wallet = granted(await kora.accounts.open({ type: 'customer', currency: 'XOF' })).accountId;
});
beforeEach(() => stage.http.requests.splice(0));
afterAll(() => stage.close());

const gateway = (status: string, headers = '', body = ''): string =>
  `HTTP/1.1 ${status}\r\n${headers}content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
const cash = { kind: 'CASH_IN', amount: 5n, currency: 'XOF', provider: 'cash' } as const;
const caught = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => value,
    (error: unknown) => error,
  );

it('waits for as long as Retry-After asks, and some more', async () => {
  stage.http.answerNext('GET /v1/accounts/', gateway('429 Too Many Requests', 'retry-after: 1\r\n'));
  const before = performance.now();
  expect(granted(await kora.accounts.get(wallet)).accountId).toBe(wallet);
  expect(performance.now() - before).toBeGreaterThan(1_000);
});

it('does not wait for a door that asks for more patience than it has', async () => {
  stage.http.answerNext('GET /v1/accounts/', gateway('503 Service Unavailable', 'retry-after: 600\r\n'));
  const before = performance.now();
  expect(await caught(kora.accounts.get(wallet))).toMatchObject({ name: 'KoraFault', code: 'Unreachable' });
  expect(performance.now() - before).toBeLessThan(1_000);
  expect(stage.http.requests).toEqual([]);
});

it('tries as often as it may, with one key, and then says that it does not know', async () => {
  const cutting = stage.http.cutEvery('POST /v1/payments ', 'silence');
  const fault = await caught(kora.payments.pay({ ...cash, payee: wallet }, { correlationId: 'silence-1' }));
  cutting.stop();
  expect(fault).toMatchObject({ name: 'KoraFault', code: 'Unreachable', correlationId: 'silence-1' });
  expect(stage.http.requests).toEqual(Array.from({ length: 3 }, () => 'POST /v1/payments'));
  expect(granted(await kora.accounts.balance(wallet)).posted).toBe('5');
  const { idempotencyKey } = fault as KoraFault;
  if (idempotencyKey === undefined) throw new Error('the fault has no key');
  granted(await kora.payments.pay({ ...cash, payee: wallet }, { idempotencyKey }));
  expect(granted(await kora.accounts.balance(wallet)).posted).toBe('5');
});

it('does not call a refusal at the door a "no" when an earlier try may have been carried out', async () => {
  const payee = granted(await kora.accounts.open({ type: 'customer', currency: 'XOF' })).accountId;
  const problem = { code: 'TooManyRequests', detail: 'too many', status: 429, title: '', type: '', correlationId: '' };
  const headers = 'content-type: application/problem+json\r\nretry-after: 600\r\n';
  const refusal = gateway('429 Too Many Requests', headers, JSON.stringify(problem));
  stage.http.answerNext('POST /v1/payments ', refusal);
  expect(await kora.payments.pay({ ...cash, payee })).toMatchObject({
    ok: false,
    refusal: { code: 'TooManyRequests' },
  });
  expect(granted(await kora.accounts.balance(payee)).posted).toBe('0');

  stage.http.cutNext('POST /v1/payments ', 'answer');
  stage.http.answerNext('POST /v1/payments ', refusal);
  const fault = await caught(kora.payments.pay({ ...cash, payee }));
  expect(fault).toMatchObject({ name: 'KoraFault', code: 'Unreachable', cause: { code: 'TooManyRequests' } });
  const { idempotencyKey } = fault as KoraFault;
  if (idempotencyKey === undefined) throw new Error('the fault has no key');
  granted(await kora.payments.pay({ ...cash, payee }, { idempotencyKey }));
  expect(granted(await kora.accounts.balance(payee)).posted).toBe('5');
});

it('tells what is not Kora, and what broke inside of it', async () => {
  stage.http.answerNext('GET /v1/accounts/', gateway('200 OK', 'content-type: text/html\r\n', '<h1>hello</h1>'));
  expect(await caught(kora.accounts.get(wallet))).toMatchObject({ name: 'KoraFault', code: 'NotUnderstood' });
  stage.http.answerNext('GET /v1/accounts/', gateway('404 Not Found', 'content-type: text/html\r\n', 'no'));
  expect(await caught(kora.accounts.get(wallet))).toMatchObject({ name: 'KoraFault', code: 'NotUnderstood' });
  const problem = JSON.stringify({ code: 'Internal', detail: 'something broke', status: 500 });
  const broken = gateway('500 Internal Server Error', 'content-type: application/problem+json\r\n', problem);
  stage.http.answerNext('GET /v1/accounts/', broken);
  expect(await caught(kora.accounts.get(wallet))).toMatchObject({ name: 'KoraFault', code: 'Internal' });
});

it('never sends a token to where a redirect leads', async () => {
  const asked: string[] = [];
  const elsewhere = createServer((request, response) => {
    asked.push(String(request.headers.authorization));
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const { port } = elsewhere.address() as { port: number };
  const cutting = `location: http://127.0.0.1:${port}/\r\n`;
  for (let attempt = 0; attempt < 3; attempt++) {
    stage.http.answerNext('GET /v1/accounts/', gateway('307 Temporary Redirect', cutting));
  }
  expect(await caught(kora.accounts.get(wallet))).toMatchObject({ name: 'KoraFault' });
  elsewhere.close();
  expect(asked).toEqual([]);
});

it('does not sign up twice: a lost answer is a fault, and the log-in works', async () => {
  const user = new Kora({ ...stage.urls, retry: { delayMs: 20 } });
  const login = newLogin();
  stage.http.cutNext('POST /v1/identity/sign-up', 'answer');
  expect(await caught(user.identity.signUp({ login, password }))).toMatchObject({ name: 'KoraFault' });
  expect(stage.http.requests).toEqual(['POST /v1/identity/sign-up']);
  granted(await user.identity.logIn({ login, password }));
});

it('says under which correlation id a refusal is found', async () => {
  const refused = await kora.payments.get('x'.repeat(27), { correlationId: 'my-own-id' });
  expect(refused).toMatchObject({ ok: false, refusal: { code: 'NotFound', correlationId: 'my-own-id', status: 404 } });
});

it('says which payment records the refusal', async () => {
  const other = granted(await kora.accounts.open({ type: 'customer', currency: 'XOF' })).accountId;
  const much = { kind: 'P2P', amount: 1_000n, currency: 'XOF', payer: wallet, payee: other } as const;
  const refused = await kora.payments.pay(much);
  if (refused.ok || refused.refusal.paymentId === undefined) throw new Error('it was not refused with a payment');
  expect(granted(await kora.payments.get(refused.refusal.paymentId)).status).toBe('FAILED');
});

it('returns the refusal of a door that counts, once waiting would take too long', async () => {
  let answer = await kora.accounts.get(wallet);
  // A new minute may begin meanwhile: then the door counts from the start, once.
  for (let call = 0; answer.ok && call < 3 * ratePerMinute; call++) {
    answer = await kora.accounts.get(wallet, { timeoutMs: 10_000 });
  }
  expect(answer).toMatchObject({ ok: false, refusal: { code: 'TooManyRequests', status: 429 } });
});
