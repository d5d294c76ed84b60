/** A session lives as long as it can: its tokens are renewed in time, once, and kept before they are used. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  type Answer,
  granted,
  Kora,
  KoraFault,
  memoryStore,
  type SessionStore,
  type StoredSession,
} from '../../sdk/index.ts';
import { UserCredentials } from '../../sdk/session/user-credentials.ts';
import { newcomer, newLogin, password } from './support/scenarios.ts';
import { openStage, type Stage } from './support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
beforeEach(() => stage.http.requests.splice(0));
afterAll(() => stage.close());

const long = 24 * 3_600_000;

/** A client of somebody's session, as it would be found in a store. */
async function resumed(
  changed: Partial<StoredSession>,
  storeOf: (session: StoredSession) => SessionStore = memoryStore,
): Promise<{ readonly kora: Kora; readonly store: SessionStore }> {
  const first = await newcomer(stage.urls);
  const session = await first.identity.session();
  if (session === undefined) throw new Error('nobody is logged in');
  const store = storeOf({ ...session, ...changed });
  const kora = new Kora({
    ...stage.urls,
    device: first.identity.device(),
    sessionStore: store,
    retry: { delayMs: 20 },
  });
  stage.http.requests.splice(0);
  return { kora, store };
}

it('renews a token before it ends, not after it was refused', async () => {
  const soon = new Date(Date.now() + 10_000).toISOString();
  const { kora, store } = await resumed({ accessExpiresAt: soon, receivedAt: Date.now() - long });
  const before = await store.load();
  granted(await kora.identity.me());
  expect(stage.http.requests).toEqual(['POST /v1/identity/refresh', 'GET /v1/identity/me']);
  const after = await store.load();
  expect(after?.sessionId).toBe(before?.sessionId);
  expect(after?.refreshToken).not.toBe(before?.refreshToken);
});

it('does not renew a token that has just come, whatever the clock of the device says', async () => {
  const { kora } = await resumed({
    accessExpiresAt: new Date(Date.now() - long).toISOString(),
    receivedAt: Date.now(),
  });
  granted(await kora.identity.me());
  granted(await kora.identity.me());
  expect(stage.http.requests).toEqual(['GET /v1/identity/me', 'GET /v1/identity/me']);
});

it('keeps new tokens before it uses them', async () => {
  const order: string[] = [];
  const { kora } = await resumed({ accessToken: 'no.good.token' }, (session) => {
    const store = memoryStore(session);
    return {
      load: () => store.load(),
      async save(next) {
        // A store that takes its time.
        await new Promise((resolve) => setTimeout(resolve, 50));
        order.push(...stage.http.requests.splice(0), 'kept');
        await store.save(next);
      },
    };
  });
  granted(await kora.identity.me());
  expect([...order, ...stage.http.requests]).toEqual([
    'GET /v1/identity/me',
    'POST /v1/identity/refresh',
    'kept',
    'GET /v1/identity/me',
  ]);
});

it('survives a refresh that did not reach the door', async () => {
  const { kora } = await resumed({ accessToken: 'no.good.token' });
  stage.http.cutNext('POST /v1/identity/refresh', 'request');
  granted(await kora.identity.me());
});

it('ends, and says so, when the answer to a refresh was lost: nobody can tell a retry from a thief', async () => {
  const { kora, store } = await resumed({ accessToken: 'no.good.token' });
  stage.http.cutNext('POST /v1/identity/refresh', 'answer');
  expect(await kora.identity.me()).toMatchObject({ ok: false, refusal: { code: 'Unauthenticated' } });
  expect(await store.load()).toBeUndefined();
  expect(await kora.identity.session()).toBeUndefined();
});

it('keeps the session when nobody answers', async () => {
  const { kora, store } = await resumed({ accessToken: 'no.good.token' });
  const cutting = stage.http.cutEvery('POST /v1/identity/refresh', 'request');
  await expect(kora.identity.me()).rejects.toMatchObject({ name: 'KoraFault', code: 'Unreachable' });
  cutting.stop();
  expect(await store.load()).toBeDefined();
  granted(await kora.identity.me());
});

it('hands the key of a payment on when, after a lost answer, the token cannot be renewed', async () => {
  const { kora } = await resumed({});
  const payer = granted(await kora.accounts.open({ type: 'customer', currency: 'XOF' })).accountId;
  const payee = granted(await kora.accounts.open({ type: 'customer', currency: 'XOF' })).accountId;
  const till = new Kora({ ...stage.urls, token: await stage.serviceToken() });
  const cash = { kind: 'CASH_IN', amount: 100n, currency: 'XOF', payee: payer, provider: 'cash' } as const;
  granted(await till.payments.pay(cash));
  // Good for the first try, and to be renewed before the second.
  const session = await kora.identity.session();
  if (session === undefined) throw new Error('nobody is logged in');
  const soon = new Date(Date.now() + 31_000).toISOString();
  const sessionStore = memoryStore({ ...session, accessExpiresAt: soon, receivedAt: Date.now() - long });
  const user = new Kora({ ...stage.urls, device: kora.identity.device(), sessionStore, retry: { delayMs: 20 } });
  stage.http.cutNext('POST /v1/payments ', 'silence');
  const cutting = stage.http.cutEvery('POST /v1/identity/refresh', 'request');
  const payment = { kind: 'P2P', amount: 10n, currency: 'XOF', payer, payee } as const;
  const fault = await user.payments.pay(payment, { timeoutMs: 1_500 }).catch((error: unknown) => error);
  cutting.stop();
  expect(fault).toBeInstanceOf(KoraFault);
  const { idempotencyKey } = fault as KoraFault;
  if (idempotencyKey === undefined) throw new Error('the fault has no key');
  granted(await user.payments.pay(payment, { idempotencyKey }));
  expect(granted(await user.accounts.balance(payee)).posted).toBe('10');
});

it('is that of whoever logged in last on the device, in every tab', async () => {
  const login = newLogin();
  granted(await new Kora(stage.urls).identity.signUp({ login, password }));
  const { kora: tab, store } = await resumed({});
  granted(await tab.identity.me());
  const other = new Kora({ ...stage.urls, device: tab.identity.device(), sessionStore: store });
  granted(await other.identity.logOut());
  const ben = granted(await other.identity.logIn({ login, password }));
  expect(granted(await tab.identity.me()).userId).toBe(ben.userId);
  expect((await store.load())?.userId).toBe(ben.userId);
});

it('is not brought back by a refresh that was under way when somebody logged out', async () => {
  const first = await newcomer(stage.urls);
  const session = await first.identity.session();
  if (session === undefined) throw new Error('nobody is logged in');
  const answer = Promise.withResolvers<Answer<StoredSession>>();
  const store = memoryStore(session);
  const credentials = new UserCredentials({
    store,
    device: () => first.identity.device(),
    refresh: () => answer.promise,
  });
  const renewed = credentials.instead(session.accessToken, 'expired');
  await new Promise((resolve) => setTimeout(resolve, 10));
  await credentials.keep(undefined);
  answer.resolve({ ok: true, value: { ...session, accessToken: 'late' } });
  expect(await renewed).toBeUndefined();
  expect(await store.load()).toBeUndefined();
});

it('is not renewed from another device, where that would end it at home', async () => {
  const first = await newcomer(stage.urls);
  const session = await first.identity.session();
  if (session === undefined) throw new Error('nobody is logged in');
  const stolen = { ...session, accessExpiresAt: new Date(0).toISOString(), receivedAt: 0 };
  const thief = new Kora({ ...stage.urls, sessionStore: memoryStore(stolen) });
  expect(await thief.identity.me()).toMatchObject({
    ok: false,
    refusal: { code: 'Unauthenticated', reason: 'wrong-device' },
  });
  granted(await first.identity.me());
});

it('is over on this device when it was ended elsewhere', async () => {
  const first = await newcomer(stage.urls);
  const { sessionId = '' } = (await first.identity.session()) ?? {};
  granted(await first.identity.endSession(sessionId));
  expect(await first.identity.me()).toMatchObject({ ok: false, refusal: { code: 'Unauthenticated', reason: 'ended' } });
  expect(await first.identity.session()).toBeUndefined();
});
