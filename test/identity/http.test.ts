import { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Asked, type HttpProduct, openProduct, type Someone } from '../http/support/product.ts';
import { goodPassword, newDevice, newLogin, type TestDevice } from './support.ts';

// What an app sees of identity over HTTP: from the sign-up to the log-out, and what it is told when it is refused.

interface Tokens {
  readonly userId: string;
  readonly sessionId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

let product: HttpProduct;
beforeAll(async () => {
  product = await openProduct();
});
afterAll(() => product.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

async function ask(who: Someone | undefined, method: string, path: string, asked?: Asked): Promise<Answer> {
  const { status, headers, text } = await product.call(who, method, path, asked);
  return { status, headers, text, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  ask(undefined, 'POST', `/v1/identity/${path}`, { body, headers });

function credentials(login: string, device: TestDevice, password = goodPassword): object {
  return { login, password, device: { id: device.id, publicKey: device.publicKey } };
}

async function signUp(
  login = newLogin(),
): Promise<{ login: string; device: TestDevice; tokens: Tokens; who: Someone }> {
  const device = newDevice();
  const { status, body } = await post('sign-up', credentials(login, device));
  expect(status).toBe(201);
  const tokens = body as unknown as Tokens;
  return { login, device, tokens, who: whoIs(tokens, device) };
}

function whoIs({ userId, accessToken }: Tokens, device: TestDevice): Someone {
  const headers = { authorization: `Bearer ${accessToken}`, 'kora-device': device.id };
  return { principal: `user:${userId}`, device, headers };
}

describe('identity over http', () => {
  it('takes somebody from the sign-up to the log-out', async () => {
    const login = newLogin();
    const { who, device, tokens } = await signUp(login);
    const me = await ask(who, 'GET', '/v1/identity/me');
    expect(me).toMatchObject({
      status: 200,
      body: { principal: who.principal, roles: ['customer'], login: { value: login } },
    });
    expect(me.headers.get('cache-control')).toBe('no-store');

    const again = await post('log-in', credentials(login, device));
    expect(again).toMatchObject({ status: 200, body: { userId: tokens.userId } });
    expect(again.headers.get('cache-control')).toBe('no-store');
    const sessions = await ask(who, 'GET', '/v1/identity/sessions');
    const items = sessions.body['items'] as { id: string; current: boolean }[];
    expect(items.map(({ id }) => id).sort()).toEqual([tokens.sessionId, again.body['sessionId']].sort());
    expect(items.filter(({ current }) => current).map(({ id }) => id)).toEqual([tokens.sessionId]);

    expect(await ask(who, 'POST', '/v1/identity/log-out')).toMatchObject({ status: 204, text: '' });
    expect(await ask(who, 'GET', '/v1/identity/me')).toMatchObject({
      status: 401,
      body: { code: 'Unauthenticated', reason: 'ended' },
    });
    expect(await ask(whoIs(again.body as unknown as Tokens, device), 'GET', '/v1/identity/me')).toMatchObject({
      status: 200,
    });
  });

  it('refreshes once, and ends the session when a token comes back', async () => {
    const { device, tokens } = await signUp();
    const refresh = (refreshToken: unknown): Promise<Answer> =>
      post('refresh', { refreshToken }, { 'kora-device': device.id });
    const next = await refresh(tokens.refreshToken);
    expect(next.status).toBe(200);
    const who = whoIs(next.body as unknown as Tokens, device);
    expect(await ask(who, 'GET', '/v1/identity/me')).toMatchObject({ status: 200 });
    expect(await refresh(tokens.refreshToken)).toMatchObject({ status: 401, body: { code: 'RefreshRefused' } });
    expect(await refresh(next.body['refreshToken'])).toMatchObject({ status: 401, body: { code: 'RefreshRefused' } });
    expect(await ask(who, 'GET', '/v1/identity/me')).toMatchObject({ status: 401, body: { reason: 'ended' } });
  });

  it('does not take a refresh that forgot its device for one from another', async () => {
    const { device, tokens } = await signUp();
    const { refreshToken } = tokens;
    expect(await post('refresh', { refreshToken })).toMatchObject({
      status: 400,
      body: { code: 'InvalidIdentity', field: 'Kora-Device' },
    });
    expect(await post('refresh', { refreshToken }, { 'kora-device': device.id })).toMatchObject({ status: 200 });
  });

  it('refuses a token from another device, and a session of somebody else', async () => {
    const [{ who }, other] = [await signUp(), await signUp()];
    for (const device of ['device-of-another', undefined]) {
      const { 'kora-device': _, ...headers } = who.headers;
      const from = { ...who, headers: device === undefined ? headers : { ...headers, 'kora-device': device } };
      expect(await ask(from, 'GET', '/v1/identity/me')).toMatchObject({
        status: 401,
        body: { reason: 'wrong-device' },
      });
    }
    const foreign = await ask(who, 'DELETE', `/v1/identity/sessions/${other.tokens.sessionId}`);
    const unknown = await ask(who, 'DELETE', '/v1/identity/sessions/AAAAAAAAAAAAAAAAAAAAAA');
    const { correlationId: _, ...said } = foreign.body;
    expect(unknown).toMatchObject({ status: 404, body: said });
    expect(await ask(other.who, 'GET', '/v1/identity/me')).toMatchObject({ status: 200 });
  });

  it('changes a password only with the signature of the device, once', async () => {
    const { who, login, device } = await signUp();
    const body = { current: goodPassword, next: 'another-Horse-82-battery' };
    const path = '/v1/identity/password';
    expect(await ask(who, 'POST', path, { body })).toMatchObject({ status: 401, body: { code: 'SignatureRequired' } });
    const thief = { ...who, device: newDevice() };
    expect(await ask(thief, 'POST', path, { body, signed: true })).toMatchObject({
      status: 401,
      body: { code: 'SignatureInvalid' },
    });
    const wrong = { ...body, current: 'not-the-Password-9' };
    expect(await ask(who, 'POST', path, { body: wrong, signed: true })).toMatchObject({
      status: 401,
      body: { code: 'WrongCredentials' },
    });
    expect(await ask(who, 'POST', path, { body: { ...body, next: 'short' }, signed: true })).toMatchObject({
      status: 422,
      body: { code: 'PasswordRefused', reason: 'short' },
    });
    expect(await ask(who, 'POST', path, { body, signed: true })).toMatchObject({ status: 204 });
    expect(await post('log-in', credentials(login, device))).toMatchObject({ status: 401 });
    expect(await post('log-in', credentials(login, device, body.next))).toMatchObject({ status: 200 });
  });

  it('says when to come again to who guesses', async () => {
    const { login, device } = await signUp();
    const guess = (): Promise<Answer> => post('log-in', credentials(login, device, 'not-the-Password-9'));
    for (let count = 0; count < 5; count += 1) {
      expect(await guess()).toMatchObject({ status: 401, body: { code: 'WrongCredentials' } });
    }
    const blocked = await guess();
    expect(blocked).toMatchObject({ status: 429, body: { code: 'TooManyAttempts' } });
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('lets admins change roles, and their tokens show it after a refresh', async () => {
    const admin = await product.user('admin');
    const { who, device, tokens } = await signUp();
    const path = `/v1/users/${tokens.userId}/roles`;
    const body = { roles: ['customer', 'merchant'] };
    expect(await ask(who, 'PUT', path, { body })).toMatchObject({ status: 403, body: { code: 'Forbidden' } });
    expect(await ask(admin, 'PUT', path, { body })).toMatchObject({
      status: 200,
      body: { userId: tokens.userId, ...body },
    });
    expect(await ask(admin, 'PUT', path, { body: { roles: ['service'] } })).toMatchObject({ status: 400 });
    expect(await ask(who, 'GET', '/v1/identity/me')).toMatchObject({ status: 401, body: { reason: 'expired' } });
    const { refreshToken } = tokens;
    const next = await post('refresh', { refreshToken }, { 'kora-device': device.id });
    expect(await ask(whoIs(next.body as unknown as Tokens, device), 'GET', '/v1/identity/me')).toMatchObject({
      status: 200,
      body: { roles: ['customer', 'merchant'] },
    });
  });

  it('publishes the keys by which anybody verifies its tokens', async () => {
    const { tokens } = await signUp();
    const answer = await ask(undefined, 'GET', '/.well-known/jwks.json');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    const keys = createLocalJWKSet(answer.body as unknown as Parameters<typeof createLocalJWKSet>[0]);
    const remote = createRemoteJWKSet(new URL(`${product.url}/.well-known/jwks.json`));
    for (const by of [keys, remote]) {
      const { payload } = await jwtVerify(tokens.accessToken, by, { issuer: 'kora/identity', audience: 'kora/doors' });
      expect(payload.sub).toBe(`user:${tokens.userId}`);
    }
  });

  it('refuses unknown fields and what cannot be, and repeats nothing of it', async () => {
    const device = newDevice();
    const good = credentials('maria.sklodowska@lab.example', device);
    for (const body of [
      { ...good, roles: ['admin'] },
      { ...good, tenant: 'other' },
      { ...good, login: { $ne: '' } },
      { ...good, login: 'maria.sklodowska' },
      { ...good, password: ['x'] },
      { ...good, device: { id: device.id } },
      [],
      null,
    ]) {
      const answer = await post('sign-up', body);
      expect(answer.status, JSON.stringify(body)).toBe(400);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.text.toLowerCase()).not.toContain('sklodowska');
    }
  });

  it('is not for services', async () => {
    const service = await product.service();
    for (const [method, path] of [
      ['GET', '/v1/identity/me'],
      ['GET', '/v1/identity/sessions'],
      ['POST', '/v1/identity/log-out'],
    ] as const) {
      expect(await ask(service, method, path), path).toMatchObject({ status: 403 });
    }
  });
});
