import { createHash, randomBytes, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Kora, startKora } from '../../src/composition.ts';
import { createServiceKey, issueServiceToken, readServiceKey } from '../../src/gateway/service-token.ts';
import { changeRoleByLogin, readKeyring, signedText } from '../../src/identity/index.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { createDataFolder, createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { goodPassword, keyringText, newDevice, type TestDevice } from './support.ts';

// After people used every door of the whole product, and were refused there too, nothing of who they are is in the log,
// in a table, in a log line or in what a watcher was told.

const phone = '+221775550123';
const email = 'amadou.ba@courrier.example';
const wrongPassword = 'not-the-Password-9';
/** What nobody may find anywhere. Parts of the logins as well: half a number is still somebody's. */
const personal = [phone, '221775550123', '775550123', 'amadou', 'courrier', goodPassword, wrongPassword];

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
}
interface Person {
  readonly device: TestDevice;
  readonly headers: Record<string, string>;
  readonly tokens: Readonly<Record<string, string>>;
}

describe('nothing personal', { timeout: 120_000 }, () => {
  const lines: string[] = [];
  const told: string[] = [];
  const keys = keyringText('k1');
  const serviceKey = createServiceKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  let database: TestDatabase;
  let folder: Awaited<ReturnType<typeof createDataFolder>>;
  let kora: Kora;

  beforeAll(async () => {
    [database, folder] = await Promise.all([createTestDatabase(), createDataFolder()]);
    const config = configFrom({
      DATABASE_URL: database.connectionString,
      KORA_DATA_DIR: folder.dataDir,
      KORA_IDENTITY_KEYS: keys,
      KORA_SERVICE_KEY: serviceKey,
      KORA_HTTP_PORT: '0',
      KORA_RPC_PORT: '0',
      KORA_STREAM_PORT: '0',
    });
    const logger = createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) });
    kora = await startKora(config, { logger });
  });
  afterAll(async () => {
    await kora.close();
    await database.drop();
    await folder.remove();
  });

  async function ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${kora.httpPort ?? 0}${path}`, {
      method,
      headers: {
        'idempotency-key': randomUUID(),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) };
  }

  const enter = (path: string, login: string, device: TestDevice, password = goodPassword): Promise<Answer> =>
    ask('POST', `/v1/identity/${path}`, { login, password, device: { id: device.id, publicKey: device.publicKey } });

  async function person(login: string): Promise<Person> {
    const device = newDevice();
    const { status, body } = await enter('sign-up', login, device);
    expect(status).toBe(201);
    const headers = { authorization: `Bearer ${body['accessToken'] ?? ''}`, 'kora-device': device.id };
    return { device, headers, tokens: body };
  }

  function signed({ device }: Person, method: string, path: string, body: unknown): Record<string, string> {
    const bodySha256 = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    const parts = { method, path, timestamp: new Date().toISOString(), nonce: randomBytes(16).toString('base64url') };
    const signature = sign(null, Buffer.from(signedText({ ...parts, bodySha256 })), device.privateKey);
    return {
      'kora-timestamp': parts.timestamp,
      'kora-nonce': parts.nonce,
      'kora-signature': signature.toString('base64url'),
    };
  }

  /** Everything that people do, and every way in which they are refused. */
  async function aDay(): Promise<void> {
    const [ada, ben] = [await person(phone), await person(email)];
    const open = { type: 'customer', currency: 'XOF' };
    const accounts = [
      await ask('POST', '/v1/accounts', open, ada.headers),
      await ask('POST', '/v1/accounts', open, ben.headers),
    ];
    const [adas = '', bens = ''] = accounts.map(({ body }) => body['accountId']);
    const token = await issueServiceToken({
      key: readServiceKey(serviceKey),
      service: 'till',
      tenant: 'kora',
      ttlSeconds: 600,
    });
    const service = { authorization: `Bearer ${token}` };
    const payment = { amount: '500', currency: 'XOF' };
    const cashIn = { ...payment, kind: 'CASH_IN', payee: adas, provider: 'cash', upTo: 'SETTLED' };
    expect(await ask('POST', '/v1/payments', cashIn, service)).toMatchObject({ status: 201 });
    const socket = await watch(ada, `account/${adas}`);
    const p2p = { ...payment, kind: 'P2P', payer: adas, payee: bens };
    const paid = await ask('POST', '/v1/payments', { ...p2p, amount: '200' }, ada.headers);
    expect(paid).toMatchObject({ status: 201 });
    expect(await ask('POST', '/v1/payments', p2p, ada.headers), 'too much').toMatchObject({ status: 422 });
    expect(await ask('POST', '/v1/payments', p2p, ben.headers), 'not his').toMatchObject({ status: 404 });
    const cashOut = { ...payment, amount: '100', kind: 'CASH_OUT', payer: adas, provider: 'cash', upTo: 'AUTHORIZED' };
    const proof = signed(ada, 'POST', '/v1/payments', cashOut);
    expect(await ask('POST', '/v1/payments', cashOut, { ...ada.headers, ...proof })).toMatchObject({ status: 201 });
    expect(await ask('POST', '/v1/payments', cashOut, { ...ada.headers, ...proof }), 'replayed').toMatchObject({
      status: 401,
    });
    expect(
      await ask('GET', `/v1/payments/${paid.body['paymentId'] ?? ''}/timeline`, undefined, ben.headers),
    ).toMatchObject({ status: 200 });

    const change = { current: wrongPassword, next: 'another-Horse-82-battery' };
    const changeProof = signed(ada, 'POST', '/v1/identity/password', change);
    expect(await ask('POST', '/v1/identity/password', change, { ...ada.headers, ...changeProof })).toMatchObject({
      status: 401,
    });
    for (let count = 0; count < 6; count += 1) await enter('log-in', email, newDevice(), wrongPassword);
    expect(await enter('sign-up', phone, newDevice())).toMatchObject({ status: 409 });
    expect(await enter('sign-up', email.toUpperCase(), newDevice(), 'short')).toMatchObject({ status: 422 });
    expect(await enter('log-in', ` ${phone}x `, newDevice())).toMatchObject({ status: 400 });
    expect(
      await ask('POST', '/v1/identity/log-in', { login: phone, password: goodPassword, extra: email }),
    ).toMatchObject({ status: 400 });
    expect(await ask('GET', `/v1/users/${phone}?login=${email}`)).toMatchObject({ status: 404 });
    expect(await ask('GET', '/v1/identity/me', undefined, { authorization: `Bearer ${phone}` })).toMatchObject({
      status: 401,
    });
    expect(await ask('GET', '/v1/identity/me', undefined, ben.headers)).toMatchObject({ status: 200 });

    const vault = { pool: kora.poolOf('identity'), keyring: readKeyring(keys), tenant: 'kora', now: () => new Date() };
    expect(await changeRoleByLogin(vault, { login: email, role: 'support', grant: true })).toMatchObject({ ok: true });
    const refresh = { refreshToken: ada.tokens['refreshToken'] };
    const { 'kora-device': device = '' } = ada.headers;
    expect(await ask('POST', '/v1/identity/refresh', refresh, { 'kora-device': device })).toMatchObject({
      status: 200,
    });
    expect(await ask('POST', '/v1/identity/refresh', refresh, { 'kora-device': device })).toMatchObject({
      status: 401,
    });
    socket.close();
    await kora.projected();
  }

  async function watch({ headers }: Person, topic: string): Promise<WebSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${kora.streamPort ?? 0}/stream`, { headers });
    socket.on('message', (data: Buffer) => told.push(data.toString('utf8')));
    await once(socket, 'open');
    socket.send(JSON.stringify({ subscribe: { topic } }));
    await expect.poll(() => told.join('\n'), { timeout: 10_000 }).toContain('"snapshot"');
    return socket;
  }

  /** Every table of every module, each row as text; what is binary also as it reads. */
  async function stored(): Promise<Map<string, string>> {
    const client = new pg.Client({ connectionString: database.connectionString });
    await client.connect();
    try {
      const { rows: tables } = await client.query<{ name: string }>(
        `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
         WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
      );
      const texts = new Map<string, string>();
      for (const { name } of tables) {
        const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM ${name}`);
        const values = rows.flatMap((row) => Object.values(row));
        const text = values.map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value)));
        texts.set(name, text.join('\n'));
      }
      return texts;
    } finally {
      await client.end();
    }
  }

  it('is in the log, in a table, in a log line, or told to a watcher', async () => {
    await aDay();
    const places = await stored();
    for (const name of ['eventstore.log', 'identity.users', 'identity.audit', 'gateway.idempotency_log']) {
      expect(places.get(name)?.length, `${name} has rows`).toBeGreaterThan(0);
    }
    expect(lines.length).toBeGreaterThan(20);
    // Who it is about is there, as an id: so these are the places to look at, and this is how to look.
    expect(told.join('\n')).toMatch(/user:[\w-]{22}/);
    expect(lines.join('\n')).toMatch(/user:[\w-]{22}/);
    expect(places.get('eventstore.log')).toMatch(/user:[\w-]{22}/);
    places.set('log lines', lines.join('\n'));
    places.set('the stream', told.join('\n'));
    for (const [place, text] of places) {
      const searched = text.toLowerCase();
      for (const word of personal) {
        expect(searched.includes(word.toLowerCase()), `${word} in ${place}`).toBe(false);
        const encoded = encodeURIComponent(word).toLowerCase();
        expect(searched.includes(encoded), `${encoded} in ${place}`).toBe(false);
      }
      // Where people came from is somebody's too; only the journal has it, as a keyed hash.
      expect(searched.includes('127.0.0.1') || searched.includes('::1'), `an address in ${place}`).toBe(false);
      expect(searched.includes('eyjhbgcioij'), `a token in ${place}`).toBe(false);
    }
  });
});
