import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { serve, type Serving } from '../cli/kora-process.ts';
import { goodPassword, keyringText } from '../identity/support.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { StreamClient } from './support/client.ts';
import { transports } from './support/door.ts';
import { expectedOf, seen } from './support/oracle.ts';

/** Proves the door in the product: people who signed up over http watch what is theirs, whatever becomes of the process. */
const key = createServiceKey();
const keyring = keyringText('k1');

interface Person {
  readonly device: string;
  readonly accountId: string;
  readonly refreshToken: string;
  readonly token: string;
}

let database: TestDatabase;
let serving: Serving;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function call<Answer>(path: string, token: string, device: string, body?: object): Promise<Answer> {
  const response = await fetch(`${serving.http}${path}`, {
    method: 'POST',
    headers: {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(device !== '' && { 'kora-device': device }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      'idempotency-key': randomUUID(),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}

async function signUp(): Promise<Person> {
  const device = `phone-${randomUUID()}`;
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const { accessToken, refreshToken } = await call<{ accessToken: string; refreshToken: string }>(
    '/v1/identity/sign-up',
    '',
    '',
    { login: `${randomUUID()}@example.org`, password: goodPassword, device: { id: device, publicKey: x } },
  );
  const wallet = { type: 'customer', currency: 'XOF' };
  const { accountId } = await call<{ accountId: string }>('/v1/accounts', accessToken, device, wallet);
  return { device, accountId, refreshToken, token: accessToken };
}

/** As a browser connects. */
const connect = ({ token, device }: Person): Promise<StreamClient> =>
  StreamClient.connect(Number(new URL(serving.stream).port), {
    token: '',
    protocols: ['kora.v1', `kora.token.${token}`, `kora.device.${device}`],
  });

describe.each(transports)('kora serve, with %s', { timeout: 180_000 }, (transport) => {
  it('people watch their own, across a new token and a killed process, until they log out', async () => {
    const env = {
      DATABASE_URL: database.connectionString,
      KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      KORA_IDENTITY_KEYS: keyring,
      KORA_STREAM_TRANSPORT: transport,
      KORA_STREAM_RECHECK_MS: '200',
    };
    serving = await serve([], { env });
    const [ada, ben] = [await signUp(), await signUp()];
    const cash = await issueServiceToken({ key, service: 'cash', tenant: 'kora', ttlSeconds: 600 });
    const money = { kind: 'CASH_IN', amount: '1000', currency: 'XOF', payee: ada.accountId, provider: 'cash' };
    await call('/v1/payments', cash, '', money);
    const pay = async (): Promise<string> => {
      const body = { kind: 'P2P', amount: '10', currency: 'XOF', payer: ada.accountId, payee: ben.accountId };
      return (await call<{ paymentId: string }>('/v1/payments', ada.token, ada.device, body)).paymentId;
    };

    const client = await connect(ada);
    const account = `account/${ada.accountId}`;
    const { state, version, position } = await client.snapshot(account);
    expect(state).toMatchObject({ posted: '1000' });
    for (const topic of [`account/${ben.accountId}`, 'account/float:cash:XOF', 'payments', 'account/there-is-none']) {
      client.subscribe(topic);
      const error = await client.first(({ error }) => (error?.topic === topic ? error : undefined));
      expect(error.code).toBe('NotFound');
    }
    const payment = await pay();
    const watched = await connect(ben);
    expect((await watched.snapshot(`payment/${payment}`)).state).toMatchObject({ status: 'SETTLED' });

    const body = { refreshToken: ada.refreshToken };
    const { accessToken } = await call<{ accessToken: string }>('/v1/identity/refresh', '', ada.device, body);
    client.send({ token: ben.token });
    await client.first(({ error }) => (error?.code === 'BadToken' ? error : undefined));
    client.send({ token: accessToken });
    await client.first(({ refreshed }) => refreshed);
    await client.until(() => client.events(account).length === 1);

    process.kill(serving.pid, 'SIGKILL');
    await client.closed;
    await serving.ended;
    serving = await serve([], { env });
    await pay();
    const again = await connect({ ...ada, token: accessToken });
    await again.live(account, client.units(account).at(-1)?.position ?? position);
    await pay();
    await again.until(() => again.events(account).length === 2);
    const log = new PostgresLog({ config: database.poolConfig });
    const expected = (await expectedOf(log, account)).slice(version);
    await log.close();
    expect(seen([...client.events(account), ...again.events(account)])).toEqual(expected);

    await call('/v1/identity/log-out', accessToken, ada.device);
    expect(await again.closed).toMatchObject({ code: 4403 });
    await expect(connect({ ...ada, token: accessToken })).rejects.toThrow();
    serving.process.kill('SIGTERM');
    expect(await serving.ended).toMatchObject({ code: 0 });
  });
});
