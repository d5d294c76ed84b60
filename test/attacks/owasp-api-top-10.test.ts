import { createHmac, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JWTHeaderParameters, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { routes } from '../../src/gateway/http/routes.ts';
import { http, type HttpAnswer, type HttpCall, Person } from './support/person.ts';
import { newLogin, openProduct, type Product } from './support/product.ts';
import { openRaw } from './support/raw.ts';
import { StreamConnection } from './support/stream.ts';

// The OWASP API Security Top 10 (2023), tried one after the other at every door of the product as it runs.

let product: Product;
let ada: Person;
let ben: Person;
let mia: Person;
let sam: Person;
let ina: Person;
let adas: string;
let bens: string;
let mias: string;
/** Ada's purchase from Mia. */
let purchase: string;

beforeAll(async () => {
  product = await openProduct();
  [ada, ben] = await Promise.all([product.signUp(), product.signUp()]);
  mia = await product.staff('merchant');
  sam = await product.staff('support');
  ina = await product.staff('admin');
  [adas, bens, mias] = await Promise.all([ada.openAccount(), ben.openAccount(), mia.openAccount('merchant')]);
  await product.fund(adas, '100000');
  await product.fund(bens, '500');
  purchase = await paid(ada, { kind: 'MERCHANT', payer: adas, payee: mias, amount: '1000' });
}, 120_000);
afterAll(() => product.close());

const xof = { currency: 'XOF' };
const pay = (who: Person, body: object, more: HttpCall = {}): Promise<HttpAnswer> =>
  who.call('POST', '/v1/payments', { body: { ...xof, ...body }, ...more });
async function paid(who: Person, body: object): Promise<string> {
  const answer = await pay(who, body);
  expect(answer.status, answer.text).toBe(201);
  return (answer.body as { paymentId: string }).paymentId;
}
const balanceOf = async (account: string): Promise<string> =>
  ((await product.service('GET', `/v1/accounts/${account}/balance`)).body as { posted: string }).posted;
const streamAs = (who: { token: string; device?: string }) =>
  StreamConnection.open(product.stream, {
    authorization: `Bearer ${who.token}`,
    ...(who.device !== undefined && { 'kora-device': who.device }),
  });
/** What an answer says, but for what is new in every answer. */
const said = ({ status, body }: HttpAnswer, id: string): unknown => {
  const { correlationId: _, ...rest } = body as Record<string, unknown>;
  return { status, body: JSON.stringify(rest).replaceAll(id, '<id>') };
};

describe('API1: broken object level authorization', () => {
  const nobodysAccount = 'w'.repeat(20);
  const nobodysPayment = 'x'.repeat(27);
  const onAccounts: readonly [string, string, object?][] = [
    ['GET', '/v1/accounts/ID'],
    ['GET', '/v1/accounts/ID/balance'],
    ['GET', '/v1/accounts/ID/balance?position=5'],
    ['GET', '/v1/accounts/ID/entries'],
    ['GET', '/v1/payments?account=ID'],
    ['POST', '/v1/payments', { ...xof, kind: 'P2P', amount: '1', payer: 'ID', payee: 'BENS' }],
    ['POST', '/v1/payments', { ...xof, kind: 'MERCHANT', amount: '1', payer: 'ID', payee: 'MIAS' }],
    ['POST', '/v1/payments', { ...xof, kind: 'CASH_OUT', amount: '1', payer: 'ID', provider: 'cash' }],
  ];
  const onPayments: readonly [string, string, object?][] = [
    ['GET', '/v1/payments/ID'],
    ['GET', '/v1/payments/ID/timeline'],
    ['POST', '/v1/payments/ID/authorize', {}],
    ['POST', '/v1/payments/ID/capture', {}],
    ['POST', '/v1/payments/ID/cancel', {}],
    ['POST', '/v1/payments/ID/reverse', {}],
  ];

  it.each([...onAccounts, ...onPayments])(
    '%s %s of somebody else is answered as what is not there: %j',
    async (method, path, body) => {
      const theirs = path.startsWith('/v1/payments/') ? [purchase, nobodysPayment] : [adas, nobodysAccount];
      const answers: unknown[] = [];
      for (const id of theirs) {
        const text = body && JSON.stringify(body).replace('ID', id).replace('BENS', bens).replace('MIAS', mias);
        const raw = text === undefined ? {} : { raw: text };
        const target = path.replace('ID', id);
        const signed = text === undefined ? {} : ben.signature(method, target, text);
        answers.push(said(await ben.call(method, target, { ...raw, headers: signed }), id));
      }
      expect(answers[0]).toMatchObject({ status: 404 });
      expect(answers[0]).toEqual(answers[1]);
    },
  );

  it('lists hold what is one’s own and nothing else, whatever is asked', async () => {
    for (const query of ['', `?owner=user:${ada.userId}`, '?owner=user:', '?limit=200']) {
      const { status, body } = await ben.call('GET', `/v1/accounts${query}`);
      const { items = [] } = body as { items?: { accountId: string }[] };
      expect(status === 400 || items.every(({ accountId }) => accountId === bens), query).toBe(true);
    }
    const { body } = await ben.call('GET', '/v1/payments?limit=200');
    for (const item of (body as { items: { payer?: string; payee?: string }[] }).items) {
      expect([item.payer, item.payee]).toContain(bens);
    }
  });

  it('a cursor of somebody else shows nothing of theirs', async () => {
    for (let number = 0; number < 3; number++) await paid(ada, { kind: 'P2P', payer: adas, payee: mias, amount: '1' });
    await product.kora.projected();
    const page = (await ada.call('GET', '/v1/payments?limit=1')).body as { next?: string };
    expect(page.next).toBeDefined();
    const stolen = await ben.call('GET', `/v1/payments?limit=200&cursor=${page.next ?? ''}`);
    const { items = [] } = stolen.body as { items?: { payer?: string; payee?: string }[] };
    for (const item of items) expect([item.payer, item.payee]).toContain(bens);
    const entries = (await ada.call('GET', `/v1/accounts/${adas}/entries?limit=1`)).body as { next?: string };
    const others = await ben.call('GET', `/v1/accounts/${bens}/entries?cursor=${entries.next ?? ''}&limit=200`);
    expect(others.text).not.toContain(adas);
  });

  it('sessions and users of others are not there', async () => {
    const theirs = await ben.call('DELETE', `/v1/identity/sessions/${ada.sessionId}`);
    const nobodys = await ben.call('DELETE', `/v1/identity/sessions/${'s'.repeat(ada.sessionId.length)}`);
    expect(said(theirs, ada.sessionId)).toEqual(said(nobodys, 's'.repeat(ada.sessionId.length)));
    expect(theirs.status).toBe(404);
    expect((await ada.call('GET', '/v1/identity/me')).status).toBe(200);
    expect((await ben.call('GET', '/v1/identity/sessions')).text).not.toContain(ada.sessionId);
  });

  it('topics of others are not there, in the stream', async () => {
    const connection = await streamAs(ben);
    if (typeof connection === 'number') throw new Error(`refused: ${connection}`);
    const topics = [`account/${adas}`, `account/${nobodysAccount}`, `payment/${purchase}`, `payment/${nobodysPayment}`];
    topics.push('payments', 'account/float:cash:XOF');
    const answers: unknown[] = [];
    for (const topic of topics) {
      connection.send({ subscribe: { topic } });
      answers.push(JSON.stringify(await connection.about(topic)).replace(topic, '<topic>'));
    }
    expect(new Set(answers).size, String(answers)).toBe(1);
    expect(answers[0]).toContain('NotFound');
    connection.send({ subscribe: { topic: `account/${bens}` } });
    expect(await connection.about(`account/${bens}`)).toHaveProperty('snapshot');
    connection.close();
  });

  it('an answer to somebody else’s idempotency key is nobody’s but theirs', async () => {
    const key = { headers: { 'idempotency-key': 'shared-key' } };
    const body = { kind: 'P2P', payer: adas, payee: bens, amount: '7' };
    const first = await pay(ada, body, key);
    expect(first.status).toBe(201);
    const stolen = await pay(ben, body, key);
    expect(stolen.status).toBe(404);
    expect(stolen.text).not.toContain((first.body as { paymentId: string }).paymentId);
  });

  it('nothing of it moved money', async () => {
    // What Ada did herself: 1000 + 3 + 7.
    expect(await balanceOf(adas)).toBe('98990');
  });
});

describe('API2: broken authentication', () => {
  /** The same token at every door. */
  const everywhere = async (token: string, device?: string): Promise<number[]> => {
    const me = await http(product.http, 'GET', '/v1/accounts', { token, ...(device && { device }) });
    const stream = await streamAs({ token, ...(device && { device }) });
    if (typeof stream !== 'number') stream.close();
    const rpc = await product.callRpc('AccountService/GetAccount', { accountId: adas }, token);
    return [me.status, typeof stream === 'number' ? stream : 101, rpc.status];
  };
  const partsOf = (token: string): [string, Record<string, unknown>, string] => {
    const [header = '', payload = '', signature = ''] = token.split('.');
    return [header, JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>, signature];
  };
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  it('forged, changed and foreign tokens open no door', async () => {
    const [header, claims, signature] = partsOf(ada.token);
    const kid = (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid;
    const jwks = (await http(product.http, 'GET', '/.well-known/jwks.json')).body as { keys: Record<string, string>[] };
    const signing = jwks.keys.find((key) => key['kid'] === kid) ?? {};
    const pem = createPublicKey({ key: signing, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const hs256 = `${encoded({ alg: 'HS256', kid })}.${encoded(claims)}`;
    const other = generateKeyPairSync('ed25519');
    const signedBy = (header: JWTHeaderParameters, more: object = {}) =>
      new SignJWT({ ...claims, ...more }).setProtectedHeader(header).sign(other.privateKey);
    const service = createServiceKey();
    const tokens: Record<string, string> = {
      'none at all': '',
      garbage: 'garbage',
      'alg none': `${encoded({ alg: 'none', kid })}.${encoded(claims)}.`,
      'no signature': `${header}.${encoded(claims)}.`,
      'HS256 with the public key': `${hs256}.${createHmac('sha256', pem).update(hs256).digest('base64url')}`,
      'other roles': `${header}.${encoded({ ...claims, roles: ['admin'] })}.${signature}`,
      'another subject': `${header}.${encoded({ ...claims, sub: `user:${ben.userId}` })}.${signature}`,
      'a longer life': `${header}.${encoded({ ...claims, exp: 9_999_999_999 })}.${signature}`,
      'another key under the same name': await signedBy({ alg: 'EdDSA', kid }),
      'a key that it brings itself': await signedBy({ alg: 'EdDSA', jwk: other.publicKey.export({ format: 'jwk' }) }),
      'a user who says to be a service': await signedBy({ alg: 'EdDSA' }, { iss: 'kora', sub: 'service:till' }),
      'a service of another Kora': await issueServiceToken({
        key: service,
        service: 'till',
        tenant: 'kora',
        ttlSeconds: 60,
      }),
      'a service token of the past': await issueServiceToken({
        key: product.key,
        service: 'till',
        tenant: 'kora',
        ttlSeconds: 60,
        now: () => new Date(Date.now() - 3_600_000),
      }),
      'a refresh token': ada.refreshToken,
      'a very long one': 'a'.repeat(3_500),
    };
    for (const [name, token] of Object.entries(tokens)) {
      expect(await everywhere(token, ada.device), name).toEqual([401, 401, 401]);
    }
    expect(await everywhere(ada.token, ada.device)).toEqual([200, 101, 403]);
  });

  it('a token is worth nothing on another device, in the address, or in a cookie', async () => {
    expect(await everywhere(ada.token, ben.device)).toEqual([401, 401, 403]);
    expect(await everywhere(ada.token)).toEqual([401, 401, 403]);
    for (const path of [`/v1/accounts?access_token=${ada.token}`, `/v1/accounts?token=${ada.token}`]) {
      expect((await http(product.http, 'GET', path, { device: ada.device })).status).toBe(401);
    }
    const cookie = { cookie: `token=${ada.token}; access_token=${ada.token}` };
    expect((await http(product.http, 'GET', '/v1/accounts', { device: ada.device, headers: cookie })).status).toBe(401);
  });

  it('guessing passwords is slowed down, and says nothing of who is known', async () => {
    const known = await product.signUp();
    const guess = async (login: string): Promise<string[]> => {
      const answers: string[] = [];
      for (let number = 0; number < 9; number++) {
        const guesser = new Person(product.http, login, `wrong-${number}-Guess-of-mine`);
        const { status, body } = await guesser.credentials('log-in');
        const { code, detail } = body as { code: string; detail: string };
        answers.push(`${status} ${code} ${detail.replace(/\d+/g, 'n')}`);
      }
      return answers;
    };
    const right = await guess(known.login);
    // From another address and with the right password: the login itself rests.
    const owner = new Person(product.http, known.login, known.password);
    const blocked = await owner.credentials('log-in');
    expect(blocked.status).toBe(429);
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(right).toEqual(await guess(newLogin()));
    expect(right.map((answer) => answer.slice(0, 3))).toContain('429');
  });

  it('stuffing credentials from one address is slowed down, whatever the logins', async () => {
    const thief = new Person(product.http, newLogin());
    const statuses: number[] = [];
    for (let number = 0; number < 60; number++) {
      const body = {
        login: newLogin(),
        password: 'Stolen-from-elsewhere-9',
        device: { id: thief.device, publicKey: thief.publicKey },
      };
      const headers = { 'x-forwarded-for': thief.address };
      statuses.push((await http(product.http, 'POST', '/v1/identity/log-in', { body, headers })).status);
    }
    expect(new Set(statuses.slice(0, 40))).toEqual(new Set([401]));
    expect(statuses.at(-1)).toBe(429);
  });

  it('a refresh token that is used twice ends the session of thief and owner alike', async () => {
    const owner = await product.signUp();
    const stolen = owner.refreshToken;
    expect((await owner.refresh()).status).toBe(200);
    expect((await owner.refresh(stolen)).status).toBe(401);
    expect((await owner.refresh()).status).toBe(401);
    expect((await owner.call('GET', '/v1/accounts')).status).toBe(401);
  });

  it('a session that is ended is ended at every door', async () => {
    const leaving = await product.signUp();
    const connection = await streamAs(leaving);
    if (typeof connection === 'number') throw new Error(`refused: ${connection}`);
    expect((await leaving.call('POST', '/v1/identity/log-out')).status).toBe(204);
    expect(await everywhere(leaving.token, leaving.device)).toEqual([401, 401, 403]);
    expect((await leaving.refresh()).status).toBe(401);
    expect(await connection.closed).toBe(4403);
  }, 30_000);

  it('weak passwords are not taken', async () => {
    for (const password of ['short', '12345678901', 'password1234', 'qwertyuiop123', 'a'.repeat(200)]) {
      const person = new Person(product.http, newLogin(), password);
      expect((await person.credentials('sign-up')).status, password).toBe(422);
    }
  });
});

describe('API3: broken object property level authorization', () => {
  it('nobody sets a property that is not theirs to set', async () => {
    const assigned: readonly [string, string, object][] = [
      ['POST', '/v1/accounts', { type: 'customer', ...xof, limit: '1000000' }],
      ['POST', '/v1/accounts', { type: 'customer', ...xof, feeBps: 0 }],
      ['POST', '/v1/accounts', { type: 'customer', ...xof, owner: `user:${ada.userId}` }],
      ['POST', '/v1/accounts', { type: 'customer', ...xof, accountId: 'of-my-choice' }],
      ['POST', '/v1/accounts', { type: 'customer', ...xof, posted: '1000000' }],
      ['POST', '/v1/accounts', { type: 'customer', ...xof, status: 'OPEN', held: '0' }],
      ['POST', '/v1/accounts', { type: 'treasury', ...xof }],
      ['POST', '/v1/accounts', { type: 'merchant', ...xof }],
      ['POST', '/v1/payments', { ...xof, kind: 'P2P', amount: '1', payer: bens, payee: adas, status: 'SETTLED' }],
      ['POST', '/v1/payments', { ...xof, kind: 'P2P', amount: '1', payer: bens, payee: adas, fee: '0' }],
      ['POST', '/v1/payments', { ...xof, kind: 'P2P', amount: '1', payer: bens, payee: adas, providerFee: '0' }],
      ['POST', '/v1/payments', { ...xof, kind: 'P2P', amount: '1', payer: bens, payee: adas, captured: '1' }],
      ['POST', '/v1/payments', { ...xof, kind: 'P2P', amount: '1', payer: bens, payee: adas, principal: 'service:x' }],
      [
        'POST',
        '/v1/payments',
        { ...xof, kind: 'P2P', amount: '1', payer: bens, payee: adas, effectiveAt: '2020-01-01T00:00:00Z' },
      ],
      ['POST', '/v1/payments', { ...xof, kind: 'P2P', amount: '-1', payer: bens, payee: adas }],
      ['POST', '/v1/payments', { ...xof, kind: 'P2P', amount: 1, payer: bens, payee: adas }],
      ['PUT', `/v1/users/${ben.userId}/roles`, { roles: ['admin'] }],
    ];
    for (const [method, path, body] of assigned) {
      const { status, text } = await ben.call(method, path, { body });
      expect([400, 403], `${JSON.stringify(body)}: ${text}`).toContain(status);
    }
    const before = {
      login: newLogin(),
      password: 'An-honest-Pony-7',
      device: { id: ben.device, publicKey: ben.publicKey },
    };
    for (const more of [{ roles: ['admin'] }, { userId: ben.userId }, { tenant: 'other' }, { verified: true }]) {
      expect((await http(product.http, 'POST', '/v1/identity/sign-up', { body: { ...before, ...more } })).status).toBe(
        400,
      );
    }
    expect(await balanceOf(bens)).toBe('507');
    expect((await ben.call('GET', '/v1/accounts')).body).toMatchObject({ items: [{ accountId: bens, limit: '0' }] });
  });

  it('nobody is shown a property that is not theirs to see', async () => {
    const asPayer = (await ada.call('GET', `/v1/payments/${purchase}`)).body as Record<string, unknown>;
    expect(asPayer).not.toHaveProperty('fee');
    expect(asPayer).not.toHaveProperty('providerFee');
    const asPayee = (await mia.call('GET', `/v1/payments/${purchase}`)).body as Record<string, unknown>;
    expect(asPayee).not.toHaveProperty('providerFee');
    // Ben cannot pay so much; Ada, whom he wanted to pay, learns that it failed, and not what he has.
    const poor = await pay(ben, { kind: 'P2P', payer: bens, payee: adas, amount: '999999' });
    expect(poor.body).toMatchObject({ status: 422, code: 'InsufficientFunds', available: '507' });
    const { paymentId } = poor.body as { paymentId: string };
    for (const path of [`/v1/payments/${paymentId}`, `/v1/payments/${paymentId}/timeline`]) {
      const { status, text } = await ada.call('GET', path);
      expect(status).toBe(200);
      expect(text).not.toMatch(/507/);
    }
    const connection = await StreamConnection.must(product.stream, {
      authorization: `Bearer ${ada.token}`,
      'kora-device': ada.device,
    });
    connection.send({ subscribe: { topic: `payment/${paymentId}` } });
    expect(JSON.stringify(await connection.about(`payment/${paymentId}`))).not.toMatch(/507/);
    connection.close();
    const me = (await ada.call('GET', '/v1/identity/me')).body as object;
    expect(Object.keys(me).sort()).toEqual(['createdAt', 'login', 'principal', 'roles', 'userId']);
  });
});

describe('API4: unrestricted resource consumption', () => {
  it('asking for more than is given is refused', async () => {
    for (const path of [
      '/v1/payments?limit=100000',
      '/v1/accounts?limit=0',
      `/v1/accounts/${adas}/entries?limit=201`,
    ]) {
      expect((await ada.call('GET', path)).status, path).toBe(400);
    }
    const huge = { raw: JSON.stringify({ ...xof, kind: 'P2P', filler: 'x'.repeat(100_000) }) };
    expect((await ada.call('POST', '/v1/payments', huge)).status).toBe(413);
    const key = { headers: { 'idempotency-key': 'k'.repeat(256) } };
    expect((await pay(ada, { kind: 'P2P', payer: adas, payee: bens, amount: '1' }, key)).status).toBe(400);
    const commands = Array.from({ length: 10_001 }, () => ({ pay: {} }));
    const batch = await product.callRpc('PaymentService/Batch', { commands }, await product.serviceToken());
    expect(batch.status).toBe(400);
    expect(batch.text).toContain('10001 in one batch, 10000 at most');
  });

  it('calling too often is refused for a while, by user and by address, and others notice nothing', async () => {
    const narrow = await openProduct({ KORA_HTTP_RATE_PER_USER: '40', KORA_HTTP_RATE_PER_ADDRESS: '120' });
    try {
      const [eager, calm] = await Promise.all([narrow.signUp(), narrow.signUp()]);
      const statuses = await Promise.all(
        Array.from({ length: 80 }, async () => (await eager.call('GET', '/v1/accounts')).status),
      );
      expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(40);
      expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(40);
      expect((await calm.call('GET', '/v1/accounts')).status).toBe(200);
      const headers = { 'x-forwarded-for': '203.0.113.7' };
      const flood = Array.from({ length: 200 }, () => http(narrow.http, 'GET', '/.well-known/jwks.json', { headers }));
      const refused = (await Promise.all(flood)).filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThanOrEqual(80);
      expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await calm.call('GET', '/v1/accounts')).status).toBe(200);
    } finally {
      await narrow.close();
    }
  }, 60_000);

  it('fifty log-ins at once, each of which costs a hash, leave the others their answers', async () => {
    let answered = 0;
    const logins = Array.from({ length: 50 }, async () => {
      const { status } = await new Person(product.http, newLogin(), 'Some-wrong-password-1').credentials('log-in');
      answered += 1;
      return status;
    });
    expect((await ada.call('GET', `/v1/accounts/${adas}`)).status).toBe(200);
    // She came last, and did not wait for all of them.
    expect(answered).toBeLessThan(50);
    for (const status of await Promise.all(logins)) expect([401, 429, 503]).toContain(status);
  }, 60_000);
});

describe('API5: broken function level authorization', () => {
  const reason = { reason: 'because' };
  const functions = (): readonly [string, string, string, object, string[]][] => [
    ['freeze', 'POST', `/v1/accounts/${adas}/freeze`, reason, ['admin']],
    ['unfreeze', 'POST', `/v1/accounts/${adas}/unfreeze`, reason, ['admin']],
    ['close', 'POST', `/v1/accounts/${adas}/close`, reason, ['admin']],
    ['roles', 'PUT', `/v1/users/${ben.userId}/roles`, { roles: ['customer'] }, ['admin']],
    ['settle', 'POST', `/v1/payments/${purchase}/settle`, {}, []],
    ['cash in', 'POST', '/v1/payments', { ...xof, kind: 'CASH_IN', amount: '1', payee: bens, provider: 'cash' }, []],
    ['funding', 'POST', '/v1/payments', { ...xof, kind: 'FUNDING', amount: '1', payee: bens, provider: 'cash' }, []],
  ];

  it('functions of others are refused alike, whether the thing is there or not', async () => {
    const people = { ben, ada, mia, sam, admin: ina };
    for (const [name, method, path, body, allowed] of functions()) {
      for (const [who, person] of Object.entries(people)) {
        if (allowed.includes(who)) continue;
        const nowhere = path
          .replace(adas, 'nowhere')
          .replace(purchase, 'x'.repeat(27))
          .replace(ben.userId, 'u'.repeat(27));
        const answers = [await person.signed(method, path, body), await person.signed(method, nowhere, body)];
        expect(
          answers.map(({ status }) => status),
          `${who}: ${name}`,
        ).toEqual([403, 403]);
      }
    }
    expect((await ada.call('GET', `/v1/accounts/${adas}`)).body).toMatchObject({ status: 'OPEN' });
  });

  it('staff moves no money', async () => {
    for (const person of [sam, ina]) {
      expect((await pay(person, { kind: 'P2P', payer: adas, payee: bens, amount: '1' })).status).toBe(403);
      expect((await person.call('POST', `/v1/payments/${purchase}/reverse`, { body: {} })).status).toBe(403);
      expect((await person.call('POST', `/v1/payments/${purchase}/refund`, { body: { amount: '1' } })).status).toBe(
        403,
      );
    }
  });

  it('a service does what its scopes say', async () => {
    const tries: readonly [string, string, object?][] = [
      ['POST', `/v1/accounts/${adas}/freeze`, reason],
      ['POST', '/v1/accounts', { type: 'customer', ...xof, owner: `user:${ben.userId}` }],
      ['POST', `/v1/payments/${purchase}/settle`, {}],
      ['GET', `/v1/accounts/${adas}`],
      ['PUT', `/v1/users/${ben.userId}/roles`, { roles: [] }],
      ['GET', '/v1/identity/me'],
    ];
    for (const [method, path, body] of tries) {
      const answer = await product.service(method, path, body === undefined ? {} : { body }, [
        'payments:read',
        'stream:read',
      ]);
      expect(answer.status, `${method} ${path}`).toBe(403);
    }
    // Whoever may write payments says nothing of what providers did.
    const token = await product.serviceToken(['payments:write']);
    const cashIn = {
      idempotencyKey: 'k',
      kind: 'PAYMENT_KIND_CASH_IN',
      amount: '1',
      ...xof,
      payee: bens,
      provider: 'cash',
      upTo: 'PAY_UP_TO_SETTLED',
    };
    expect((await product.callRpc('PaymentService/Pay', cashIn, token)).status).toBe(403);
    expect((await product.callRpc('PaymentService/Batch', { commands: [{ pay: cashIn }] }, token)).status).toBe(403);
    expect(await streamAs({ token })).toBe(403);
  });

  it('other methods, other spellings and headers that override open nothing', async () => {
    const path = `/v1/accounts/${adas}`;
    for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) expect((await ben.call(method, path)).status).toBe(404);
    for (const header of ['x-http-method-override', 'x-method-override', 'x-http-method']) {
      const answer = await ben.call('POST', path, { body: {}, headers: { [header]: 'DELETE' } });
      expect(answer.status).toBe(404);
    }
    const overrides = {
      'x-original-url': '/health/live',
      'x-rewrite-url': '/health/live',
      'x-forwarded-user': 'admin',
    };
    for (const [header, value] of Object.entries(overrides)) {
      expect((await ben.call('GET', path, { headers: { [header]: value } })).status).toBe(404);
    }
    const spellings = [
      `/V1/accounts/${adas}`,
      `//v1/accounts/${adas}`,
      `/v1//accounts/${adas}`,
      `${path}/`,
      `${path};a=b`,
    ];
    spellings.push(
      `/v1/accounts/${bens}/../${adas}`,
      `/v1/accounts/${bens}%2f..%2f${adas}`,
      `${path}%00`,
      `${path}.json`,
    );
    for (const spelling of spellings) {
      const { host } = new URL(product.http);
      const request = `GET ${spelling} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${ben.token}\r\nkora-device: ${ben.device}\r\nconnection: close\r\n\r\n`;
      expect(await (await openRaw(product.http, request)).closed, spelling).toMatch(/^HTTP\/1\.1 40[04] /);
    }
  });
});

describe('API6: unrestricted access to sensitive business flows', () => {
  const cashOut = (who: Person, account: string, amount = '10') =>
    JSON.stringify({ ...xof, kind: 'CASH_OUT', amount, payer: account, provider: 'cash' });
  const send = (who: Person, raw: string, headers: Record<string, string>) =>
    who.call('POST', '/v1/payments', { raw, headers: { 'idempotency-key': randomUUID(), ...headers } });

  it('a sensitive command goes through once, as its device signed it, and soon', async () => {
    const raw = cashOut(ada, adas);
    const signature = ada.signature('POST', '/v1/payments', raw);
    const before = await balanceOf(adas);
    expect((await send(ada, raw, signature)).status).toBe(201);
    const held = async () => ((await ada.call('GET', `/v1/accounts/${adas}`)).body as { held: string }).held;
    expect(await held()).toBe('10');
    const old = new Date(Date.now() - 10 * 60_000).toISOString();
    const refused: Record<string, [string, Record<string, string>]> = {
      replayed: [raw, signature],
      unsigned: [raw, {}],
      'for another amount': [cashOut(ada, adas, '9999'), ada.signature('POST', '/v1/payments', raw)],
      'for another path': [raw, ada.signature('POST', '/v1/payments/x', raw)],
      'of another device': [raw, ben.signature('POST', '/v1/payments', raw)],
      old: [raw, ada.signature('POST', '/v1/payments', raw, old)],
      'of the future': [
        raw,
        ada.signature('POST', '/v1/payments', raw, new Date(Date.now() + 10 * 60_000).toISOString()),
      ],
      'with an empty nonce': [raw, ada.signature('POST', '/v1/payments', raw, undefined, '')],
      'with half a signature': [raw, { ...ada.signature('POST', '/v1/payments', raw), 'kora-signature': 'AAAA' }],
    };
    for (const [name, [body, headers]] of Object.entries(refused)) {
      const { status, text } = await send(ada, body, headers);
      expect([401, 403], `${name}: ${text}`).toContain(status);
    }
    // Twenty at once with one signature: one of them.
    const again = ada.signature('POST', '/v1/payments', raw);
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await send(ada, raw, again)).status));
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(await held()).toBe('20');
    expect(await balanceOf(adas)).toBe(before);
  });

  it('the same payment twenty times at once is one payment', async () => {
    const body = { kind: 'P2P', payer: adas, payee: bens, amount: '11' };
    const before = [await balanceOf(adas), await balanceOf(bens)].map(BigInt);
    const key = { headers: { 'idempotency-key': 'twenty-times' } };
    const answers = await Promise.all(Array.from({ length: 20 }, () => pay(ada, body, key)));
    for (const { status } of answers) expect([201, 409]).toContain(status);
    const ids = answers.flatMap(({ body: answer }) => (answer as { paymentId?: string }).paymentId ?? []);
    expect(new Set(ids).size).toBe(1);
    const after = [await balanceOf(adas), await balanceOf(bens)].map(BigInt);
    expect(after).toEqual([(before[0] ?? 0n) - 11n, (before[1] ?? 0n) + 11n]);
  });

  it('a race for the last coin is won once', async () => {
    const racer = await product.signUp();
    const account = await racer.openAccount();
    await product.fund(account, '100');
    const tries = Array.from({ length: 30 }, () =>
      pay(racer, { kind: 'P2P', payer: account, payee: bens, amount: '30' }),
    );
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(3);
    expect(statuses.filter((status) => status === 422)).toHaveLength(27);
    expect(await balanceOf(account)).toBe('10');
  });

  it('no more is refunded than was paid, however many ask', async () => {
    const bought = await paid(ada, { kind: 'MERCHANT', payer: adas, payee: mias, amount: '100' });
    expect((await product.service('POST', `/v1/payments/${bought}/settle`, { body: {} })).status).toBe(200);
    const refunds = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const answer = await mia.call('POST', `/v1/payments/${bought}/refund`, { body: { amount: '40' } });
        return answer.status;
      }),
    );
    expect(refunds.filter((status) => status < 300)).toHaveLength(2);
    expect(((await mia.call('GET', `/v1/payments/${bought}`)).body as { refunded: string }).refunded).toBe('80');
  });

  it('signing up by machine is slowed down', async () => {
    const address = '198.51.100.9';
    const statuses: number[] = [];
    // Logins that are taken: what a machine finds out when it asks who is a customer here.
    for (let number = 0; number < 60; number++) {
      const { login, device: id, publicKey } = ada;
      const body = { login, password: 'An-honest-Pony-7', device: { id, publicKey } };
      const headers = { 'x-forwarded-for': address };
      statuses.push((await http(product.http, 'POST', '/v1/identity/sign-up', { body, headers })).status);
    }
    expect(statuses.at(-1)).toBe(429);
  });
});

describe('API7: server side request forgery', () => {
  let asked: string[];
  let bait: Server;
  let url: string;
  beforeAll(async () => {
    asked = [];
    bait = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('{}');
    });
    await new Promise<void>((resolve) => bait.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(bait.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => bait.close(resolve)));

  it('no address that a caller names is ever called', async () => {
    const key = generateKeyPairSync('ed25519').privateKey;
    const claims = { tenant: 'kora', roles: ['admin'] };
    const baited = (header: object, issuer: string) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'EdDSA', ...header })
        .setIssuer(issuer)
        .setAudience('kora/doors')
        .setSubject('user:u')
        .setExpirationTime('1h')
        .sign(key);
    const headers = [
      { jku: `${url}/jku` },
      { x5u: `${url}/x5u` },
      { kid: `${url}/kid` },
      { kid: 'file:///etc/passwd' },
    ];
    for (const header of headers) {
      for (const issuer of ['kora', 'kora/identity', url]) {
        const token = await baited(header, issuer);
        expect((await http(product.http, 'GET', '/v1/accounts', { token, device: 'device-of-mine' })).status).toBe(401);
        expect((await product.callRpc('AccountService/GetAccount', { accountId: 'a' }, token)).status).toBe(401);
        expect(await streamAs({ token })).toBe(401);
      }
    }
    const service = (body: object) =>
      product.service('POST', '/v1/payments', { body: { ...xof, amount: '1', ...body } });
    for (const provider of [url, new URL(url).host, '169.254.169.254', 'file:///etc/passwd', '$(curl x)']) {
      await service({ kind: 'CASH_IN', payee: bens, provider });
    }
    for (const name of [
      'origin',
      'referer',
      'host',
      'x-forwarded-host',
      'forwarded',
      'x-forwarded-for',
      'kora-correlation-id',
    ]) {
      await ben.call('GET', '/v1/accounts', { headers: { [name]: url } }).catch(() => undefined);
    }
    for (const login of [url, `a@${new URL(url).host}`]) await new Person(product.http, login).credentials('sign-up');
    const { host } = new URL(product.http);
    await (
      await openRaw(product.http, `GET ${url}/absolute HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
    ).closed;
    await (
      await openRaw(product.http, `CONNECT ${new URL(url).host} HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
    ).closed;
    expect(asked).toEqual([]);
  });
});

describe('API8: security misconfiguration', () => {
  const answers = async (): Promise<Record<string, HttpAnswer>> => ({
    good: await ada.call('GET', '/v1/accounts'),
    unauthenticated: await http(product.http, 'GET', '/v1/accounts'),
    forbidden: await ada.call('POST', `/v1/accounts/${adas}/freeze`, { body: { reason: 'x' } }),
    nowhere: await http(product.http, 'GET', '/nowhere/<script>alert(1)</script>'),
    malformed: await ada.call('POST', '/v1/payments', { raw: '{' }),
    'of another type': await ada.call('POST', '/v1/payments', { raw: 'x', headers: { 'content-type': 'text/html' } }),
    health: await http(product.http, 'GET', '/health/ready'),
  });

  it('every answer, good or bad, tells browsers to do nothing with it, and nothing of what serves it', async () => {
    for (const [name, { headers, text }] of Object.entries(await answers())) {
      expect(headers.get('content-type'), name).toMatch(/^application\/(problem\+)?json/);
      expect(headers.get('x-content-type-options'), name).toBe('nosniff');
      expect(headers.get('x-frame-options'), name).toBe('DENY');
      expect(headers.get('content-security-policy'), name).toContain("default-src 'none'");
      expect(headers.get('strict-transport-security'), name).toMatch(/max-age=\d{7}/);
      expect(headers.get('kora-correlation-id'), name).toBeTruthy();
      for (const header of ['server', 'x-powered-by', 'set-cookie', 'access-control-allow-origin']) {
        expect(headers.get(header), `${name}: ${header}`).toBeNull();
      }
      expect(text, name).not.toMatch(/node_modules|\bat .*\.[jt]s:\d|postgres|select |insert /i);
      expect(text, name).not.toContain('<script>');
    }
  });

  it('foreign pages are let in at no door', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1', product.http]) {
      const preflight = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      };
      for (const path of ['/v1/payments', '/v1/identity/log-in']) {
        const answer = await http(product.http, 'OPTIONS', path, { headers: preflight });
        expect(answer.headers.get('access-control-allow-origin'), origin).toBeNull();
      }
      const stream = await StreamConnection.open(product.stream, {
        authorization: `Bearer ${ada.token}`,
        'kora-device': ada.device,
        origin,
      });
      expect(stream, origin).toBe(403);
      const rpc = await http(product.rpc, 'OPTIONS', '/kora.v1.PaymentService/Pay', { headers: preflight });
      expect(rpc.headers.get('access-control-allow-origin'), origin).toBeNull();
    }
  });

  it('TRACE, CONNECT and what is no method are answered with no', async () => {
    for (const method of ['TRACE', 'TRACK', 'CONNECT', 'PROPFIND', 'DEBUG', 'get']) {
      for (const origin of [product.http, product.rpc]) {
        const raw = `${method} / HTTP/1.1\r\nhost: x\r\nsecret: of-mine\r\nconnection: close\r\n\r\n`;
        const answer = await (await openRaw(origin, raw)).closed;
        expect(answer, method).toMatch(/^($|HTTP\/1\.1 4)/);
        expect(answer).not.toContain('of-mine');
      }
    }
  });

  it('what is inside stays inside when something breaks', async () => {
    const cut = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
    // Until now nothing was.
    expect(product.lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
    const texts: string[] = [];
    for (let round = 0; round < 5; round++) {
      const calls = Array.from({ length: 10 }, () => pay(ada, { kind: 'P2P', payer: adas, payee: bens, amount: '1' }));
      await product.database.query(cut);
      for (const { status, text, headers } of await Promise.all(calls)) {
        expect([201, 500, 503, 504]).toContain(status);
        expect(headers.get('content-type')).toMatch(/json/);
        texts.push(text);
      }
    }
    expect(texts.join('\n')).not.toMatch(
      /node_modules|\bat .*\.[jt]s:\d|terminating connection|pg_|sql|relation|database/i,
    );
    // And it serves again.
    await expect
      .poll(async () => (await ada.call('GET', `/v1/accounts/${adas}`)).status, { timeout: 20_000 })
      .toBe(200);
    await expect
      .poll(async () => (await pay(ada, { kind: 'P2P', payer: adas, payee: bens, amount: '1' })).status, {
        timeout: 20_000,
      })
      .toBe(201);
  }, 60_000);

  it('it listens on this machine alone unless it is told otherwise', () => {
    for (const url of [product.http, product.rpc, product.stream]) expect(new URL(url).hostname).toBe('127.0.0.1');
  });
});

describe('API9: improper inventory management', () => {
  it('everything that is served is documented, and nothing else is served', async () => {
    const document = (await http(product.http, 'GET', '/openapi.json')).body as {
      openapi: string;
      paths: Record<string, Record<string, unknown>>;
    };
    expect(document.openapi).toMatch(/^3\.1\./);
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    expect(documented.sort()).toEqual(served.sort());
  });

  it('what is public is public on purpose', async () => {
    const open: string[] = [];
    for (const { method, path } of routes) {
      const target = path.replace(/:\w+/g, 'x'.repeat(27));
      const body = method === 'GET' || method === 'DELETE' ? {} : { body: {} };
      const { status } = await http(product.http, method, target, body);
      if (status !== 401) open.push(`${method} ${path}`);
    }
    expect(open.sort()).toEqual([
      'GET /.well-known/jwks.json',
      'GET /health/live',
      'GET /health/ready',
      'GET /openapi.json',
      'POST /v1/identity/log-in',
      'POST /v1/identity/refresh',
      'POST /v1/identity/sign-up',
    ]);
  });

  it('nothing old, internal or forgotten answers', async () => {
    const paths = [
      '/',
      '/admin',
      '/metrics',
      '/debug',
      '/debug/pprof',
      '/graphql',
      '/v0/accounts',
      '/v2/accounts',
      '/api',
    ];
    paths.push(
      '/.env',
      '/.git/config',
      '/package.json',
      '/server-status',
      '/actuator/health',
      '/swagger',
      '/test',
      '/console',
    );
    paths.push(
      '/v1',
      '/v1/users',
      `/v1/users/${ada.userId}`,
      '/v1/identity',
      '/internal',
      '/__proto__',
      '/constructor',
    );
    for (const path of paths) {
      expect((await ina.call('GET', path)).status, path).toBe(404);
      expect(
        (await http(product.rpc, 'POST', path, { body: {}, token: await product.serviceToken() })).status,
        path,
      ).toBe(404);
      expect(
        await StreamConnection.open(product.stream.replace('/stream', path), { authorization: `Bearer ${ada.token}` }),
      ).toBe(404);
    }
  });

  it('the contract of the rpc door is told to services alone', async () => {
    const info = (token?: string) =>
      fetch(`${product.rpc}/grpc.reflection.v1.ServerReflection/ServerReflectionInfo`, {
        method: 'POST',
        headers: { 'content-type': 'application/grpc-web+proto', ...(token && { authorization: `Bearer ${token}` }) },
        body: new Uint8Array([0, 0, 0, 0, 2, 0x3a, 0]),
      });
    for (const token of [undefined, 'x', ada.token]) {
      const answer = await info(token);
      const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
      expect(text).not.toContain('kora.v1.PaymentService');
    }
  });
});

describe('API10: unsafe consumption of APIs', () => {
  /** An OpenID provider that was trusted, and is not worth it. */
  const provider = async (
    answers: (path: string, url: string) => [number, string | (() => AsyncIterable<string>), Record<string, string>?],
  ) => {
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url ?? '');
      const [status, body, headers = {}] = answers(request.url ?? '', url);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      if (typeof body === 'string') {
        response.end(body);
        return;
      }
      void (async () => {
        for await (const text of body()) {
          if (response.destroyed) return;
          if (!response.write(text)) await new Promise((resolve) => setTimeout(resolve, 5));
        }
        response.end();
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      url,
      paths,
      close: () => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      },
    };
  };
  const key = generateKeyPairSync('ed25519');
  const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'EdDSA', use: 'sig' };
  const tokenOf = (issuer: string, claims: object = {}) =>
    new SignJWT({ sub: 'ada', roles: ['customer'], ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
      .setIssuer(issuer)
      .setAudience('kora')
      .setExpirationTime('1h')
      .sign(key.privateKey);
  const discovery = '/.well-known/openid-configuration';
  async function* without(end: string): AsyncIterable<string> {
    for (;;) {
      yield end;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it.each<
    [string, (path: string, url: string) => [number, string | (() => AsyncIterable<string>), Record<string, string>?]]
  >([
    ['answers errors', () => [500, 'oops']],
    ['answers what is no JSON', () => [200, '<html>']],
    ['answers null', () => [200, 'null']],
    [
      'says that it is another',
      () => [200, JSON.stringify({ issuer: 'https://other.example', jwks_uri: 'https://other.example/keys' })],
    ],
    ['sends elsewhere', () => [302, '', { location: 'http://169.254.169.254/latest/meta-data' }]],
    ['names keys in the clear', (_, url) => [200, JSON.stringify({ issuer: url, jwks_uri: 'http://192.0.2.1/keys' })]],
    [
      'has no keys',
      (path, url) => [
        200,
        path === discovery ? JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }) : '{"keys":[]}',
      ],
    ],
    [
      'has keys of nonsense',
      (path, url) => [
        200,
        path === discovery
          ? JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` })
          : '{"keys":[1,null,{"kty":"oct","k":"AA"}]}',
      ],
    ],
    ['never ends', () => [200, () => without(' '.repeat(65_536))]],
    [
      'never ends its keys',
      (path, url) =>
        path === discovery
          ? [200, JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` })]
          : [200, () => without(' '.repeat(65_536))],
    ],
  ])('an OpenID provider that %s lets nobody in, and keeps nobody out', { timeout: 60_000 }, async (_name, answers) => {
    const bad = await provider(answers);
    const trusting = await openProduct({ KORA_OIDC_ISSUER: bad.url, KORA_OIDC_AUDIENCE: 'kora' });
    try {
      const memory = process.memoryUsage().rss;
      const token = await tokenOf(bad.url);
      const answer = await http(trusting.http, 'GET', '/v1/accounts', { token });
      expect([401, 503]).toContain(answer.status);
      expect(process.memoryUsage().rss - memory).toBeLessThan(300 * 1024 * 1024);
      const local = await trusting.signUp();
      expect((await local.call('GET', '/v1/accounts')).status).toBe(200);
      expect(bad.paths.length).toBeGreaterThan(0);
    } finally {
      await trusting.close();
      await bad.close();
    }
  });

  it('what a provider says of people is held to what it may say', { timeout: 60_000 }, async () => {
    const good = await provider((path, url) => {
      return [200, JSON.stringify(path === discovery ? { issuer: url, jwks_uri: `${url}/keys` } : { keys: [jwk] })];
    });
    const trusting = await openProduct({ KORA_OIDC_ISSUER: good.url, KORA_OIDC_AUDIENCE: 'kora' });
    try {
      const ask = async (claims: object, path = '/v1/identity/me') =>
        http(trusting.http, 'GET', path, { token: await tokenOf(good.url, claims) });
      const me = (await ask({})).body as { principal: string; roles: string[] };
      expect(me.roles).toEqual(['customer']);
      expect(me.principal).toMatch(/^user:[A-Za-z0-9_-]{27}$/);
      // Its admins are not ours unless we say so; and services are never its to name.
      for (const roles of [['admin'], ['service'], ['__proto__'], ['constructor'], [{}], 'admin', 5, null]) {
        const answer = await ask({ roles });
        expect(
          answer.status === 403 || (answer.body as { roles: string[] }).roles.length === 0,
          JSON.stringify(roles),
        ).toBe(true);
      }
      for (const sub of ['', 'service:till', 'user:x', '../../etc', 'x'.repeat(3_000), '\u0000']) {
        const answer = await ask({ sub });
        if (answer.status === 200)
          expect((answer.body as { principal: string }).principal).toMatch(/^user:[A-Za-z0-9_-]{27}$/);
        else expect(answer.status).toBe(401);
      }
      for (const claims of [
        { iss: 'kora' },
        { aud: 'other' },
        { exp: 1 },
        { tenant: 'other', scopes: ['payments:settle'] },
      ]) {
        const token = await new SignJWT({
          sub: 'ada',
          roles: ['customer'],
          iss: good.url,
          aud: 'kora',
          exp: 9_999_999_999,
          ...claims,
        })
          .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
          .sign(key.privateKey);
        const { status } = await http(trusting.http, 'POST', '/v1/payments', {
          token,
          body: { ...xof, kind: 'CASH_IN', amount: '1', payee: 'a', provider: 'cash' },
        });
        expect([401, 403], JSON.stringify(claims)).toContain(status);
      }
      expect(
        (await trusting.callRpc('AccountService/GetAccount', { accountId: 'a' }, await tokenOf(good.url))).status,
      ).toBe(403);
    } finally {
      await trusting.close();
      await good.close();
    }
  });
});

it('after all of it the books are right', { timeout: 60_000 }, async () => {
  const { code, stdout } = await product.cli('verify', '--json');
  expect({ code, stdout: JSON.parse(stdout) as unknown }).toMatchObject({
    code: 0,
    stdout: { ok: true, findings: [] },
  });
});
