import { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { configFrom } from './config.ts';
import { createLogger } from './logging.ts';
import { scrubbed } from './redaction.ts';

// Whatever way a secret or something personal takes into a line, it is not in what is written; and what is needed stays.

const planted = {
  password: 'Tr0ub4dor&3-horse',
  token: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c2VyOjEifQ.c2lnbmF0dXJlLW9mLXRoaXM',
  apiKey: 'live_4eC39HqLyjWDarjtT1zdp7dc',
  hmac: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c',
  pem: '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIDx\nQ0FURUdPUlk=\n-----END PRIVATE KEY-----',
  phone: '+221771234567',
  email: 'ada.lovelace@example.org',
  iban: 'SN08SN0100152000048500003035',
  name: 'Ada Lovelace',
};
const databaseUrl = `postgresql://kora:${encodeURIComponent(planted.password)}@db.internal:5432/kora`;

/** What of a secret must not be found: all of it, and each of its parts that is long enough to be told. */
const traces = [
  ...Object.values(planted),
  encodeURIComponent(planted.password),
  planted.phone.slice(1),
  'ada.lovelace',
  'MC4CAQAwBQYDK2VwBCIEIDx',
  'c2lnbmF0dXJlLW9mLXRoaXM',
];

function lineOf(log: (logger: ReturnType<typeof createLogger>) => void, format: 'json' | 'text' = 'json'): string {
  let written = '';
  log(createLogger({ level: 'debug', format, write: (line) => (written += line) }));
  return written;
}

function expectNothingIn(written: string): void {
  expect(written.length).toBeGreaterThan(10);
  for (const trace of traces) expect(written).not.toContain(trace);
}

const headers = {
  authorization: `Bearer ${planted.token}`,
  cookie: `session=${planted.token}`,
  'x-api-key': planted.apiKey,
  'X-Signature': `t=1,v1=${planted.hmac}`,
  'kora-signature': planted.hmac,
  host: 'kora.example',
};
const body = {
  login: planted.phone,
  password: planted.password,
  refreshToken: planted.token,
  beneficiary: { accountName: planted.name, iban: planted.iban, msisdn: planted.phone, e_mail: planted.email },
  amount: '100',
};

const ways: Readonly<Record<string, object>> = {
  'headers of a request': { request: { headers } },
  'headers as a list': { rawHeaders: Object.entries(headers).flat() },
  'headers as pairs': { headers: Object.entries(headers) },
  'headers of fetch': { headers: new Headers(headers) },
  'a map': { headers: new Map(Object.entries(headers)) },
  'a body': { body },
  'a body, many levels down': { a: { b: [{ c: { d: { e: [{ body }] } } }] } },
  'a body as text': { body: JSON.stringify(body) },
  'a body as text within a text': { answer: JSON.stringify({ sent: JSON.stringify({ password: planted.password }) }) },
  'a body as Node shows it': { body: inspect({ password: planted.password, 'api-key': planted.apiKey }) },
  'a form': { body: new URLSearchParams({ login: planted.phone, password: planted.password }).toString() },
  bytes: { body: Buffer.from(planted.password), more: new TextEncoder().encode(planted.token) },
  'a connection string': { url: databaseUrl },
  'a connection string in words': { dsn: `host=db password='${planted.password}' user=kora` },
  'a connection string of Redis': { url: `redis://:${encodeURIComponent(planted.password)}@cache:6379` },
  'a URL': { url: new URL(databaseUrl) },
  'a query': { url: `/v1/accounts?login=${encodeURIComponent(planted.email)}&token=${planted.token}` },
  'a key': { text: planted.pem, signingKey: planted.pem },
  'somebody, in a sentence': { text: `${planted.email} called from ${planted.phone} about ${planted.iban}` },
  'as people write it': { text: 'call +221 77 123 45 67 or 00221771234567, IBAN SN08 SN01 0015 2000 0485 0000 3035' },
  'the configuration': {
    config: configFrom({
      DATABASE_URL: databaseUrl,
      EVENTSTORE_URL: `kurrentdb://admin:${planted.apiKey}@events:2113`,
      REDIS_URL: `redis://:${planted.apiKey}@cache:6379`,
      KORA_SERVICE_KEY: planted.pem,
      KORA_SERVICE_KEYS_ACCEPTED: planted.pem,
      KORA_CHECKPOINT_KEY: planted.pem,
      KORA_IDENTITY_KEYS: `k1:${Buffer.from(planted.password.padEnd(32)).toString('base64')}`,
      KORA_OTLP_URL: `https://user:${planted.apiKey}@collector.example`,
    }),
  },
  'the environment': { env: { DATABASE_URL: databaseUrl, KORA_SERVICE_KEY: planted.pem, VAULT_SECRET_ID: 'x' } },
};

describe('nothing secret or personal is written', () => {
  it.each(Object.entries(ways))('as %s', (_way, fields) => {
    for (const format of ['json', 'text'] as const) {
      expectNothingIn(lineOf((logger) => logger.info(fields, 'something happened'), format));
    }
  });

  it('in an error, its causes, its fields and what it gathers', () => {
    const cause = Object.assign(new Error(`connect to ${databaseUrl} failed`), {
      config: { password: planted.password },
    });
    const query = Object.assign(new Error(`duplicate key: (login)=(${planted.email})`, { cause }), {
      parameters: [planted.phone],
      detail: planted.name,
      headers,
    });
    const both = new AggregateError([query, planted.token], `password=${planted.password}`);
    for (const error of [cause, query, both]) {
      const lines = lineOf((logger) => {
        logger.error({ err: error }, 'failed');
        logger.error(error);
        logger.error({ error, list: [error], deep: { down: { error } } }, 'failed');
      });
      expectNothingIn(lines);
      expect(lines).toContain('AggregateError' === error.name ? 'AggregateError' : 'Error');
      expect(lines).toContain('at ');
    }
  });

  it('in what is said, in fields of a child, and in an error that is none', () => {
    expectNothingIn(lineOf((logger) => logger.info(`a call with Bearer ${planted.token} of ${planted.email}`)));
    expectNothingIn(
      lineOf((logger) => logger.child({ token: planted.token, of: { phone: planted.phone } }).info('said')),
    );
    expectNothingIn(lineOf((logger) => logger.warn({ err: `password=${planted.password}` }, 'thrown')));
  });
});

describe('a line', () => {
  it('stays JSON, whatever is cut', () => {
    for (const [way, fields] of Object.entries(ways)) {
      const line = lineOf((logger) => logger.info(fields, 'something happened'));
      expect(() => JSON.parse(line) as unknown, way).not.toThrow();
    }
  });

  it('keeps what is needed', () => {
    const fields = {
      correlationId: '0f8fad5b-d9cb-469f-a165-70867728950e',
      principal: 'user:0f8fad5bd9cb469fa16570867728950e',
      address: '10.0.0.7:7403',
      route: '/v1/payments/:id',
      position: 12345678901,
      at: '2026-11-27T07:29:08.123+00:00',
      provider_ref: 'MP221771234567',
      database: 'postgresql://kora@db.example.com:5432/kora',
      file: 'file:///srv/kora/node_modules/@connectrpc/connect@2.2.0/index.js',
      account: 'float:cash:XOF',
      amount: '100000000000',
      nothing: null,
      password: undefined,
    };
    const line = JSON.parse(
      lineOf((logger) => logger.info(fields, 'a token is wanted: Authorization: Bearer')),
    ) as object;
    const { password: _absent, ...present } = fields;
    expect(line).toMatchObject({ ...present, msg: 'a token is wanted: Authorization: Bearer' });
  });

  it('survives circles and depths', () => {
    const circle: Record<string, unknown> = { password: planted.password };
    circle['again'] = [circle];
    expectNothingIn(lineOf((logger) => logger.info({ circle }, 'round')));
  });

  it('is looked through in no time, however long', () => {
    const long = `${'a'.repeat(50_000)} ${'password'.repeat(5_000)} ${'+2'.repeat(20_000)} ${'x@'.repeat(20_000)}`;
    const beganMs = performance.now();
    scrubbed(long);
    expect(performance.now() - beganMs).toBeLessThan(2_000);
  });
});
