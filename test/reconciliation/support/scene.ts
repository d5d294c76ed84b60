import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createServiceKey, issueServiceToken, type ServiceKey } from '../../../src/gateway/service-token.ts';
import defaultRulesDocument from '../../../src/reconciliation/matching/default-rules.json' with { type: 'json' };
import { type Serving, serve, type Spawned, spawnKora } from '../../cli/kora-process.ts';
import { createEmptyDatabase, createTestDatabase } from '../../support/postgres.ts';

export interface Line {
  /** Signed, in francs. */
  readonly amount: number;
  readonly reference: string;
  readonly code?: string;
  readonly text?: string;
}

let number = 0;
/** A statement of the bank, whose balances add up. */
function statement(lines: readonly Line[]): string {
  number += 1;
  const total = lines.reduce((sum, { amount }) => sum + amount, 1_000_000);
  return [
    ':20:STARTUMS',
    ':25:SN08SN0100152000048500003035',
    `:28C:${number}/1`,
    ':60F:C261126XOF1000000,',
    ...lines.flatMap(({ amount, reference, code = 'NTRF', text = 'TRANSFER' }, index) => [
      `:61:2611271127${amount < 0 ? 'D' : 'C'}${Math.abs(amount)},${code}${reference}//B${number}-${index}`,
      `:86:${text}`,
    ]),
    `:62F:C261127XOF${total},`,
    '-',
    '',
  ].join('\r\n');
}

/** What a client shows and believes, where the core speaks TLS. */
export interface ClientTls {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Apart extends Spawned {
  readonly http: string;
  readonly metrics: string;
}

export interface Scene {
  /** Environment of a core with a bank; and of whoever reconciles. */
  readonly coreEnv: Readonly<Record<string, string>>;
  readonly ownEnv: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly key: ServiceKey;
  /** Of the service `test`, which may do everything. */
  readonly token: string;
  /** The core's database, and reconciliation's own. */
  readonly core: pg.Pool;
  readonly own: pg.Pool;
  /** Starts the core; whatever is called after it is called there. */
  startCore(env?: Readonly<Record<string, string>>, tls?: ClientTls): Promise<Serving>;
  /** @param metricsPort for who wants to look before it has said where. Default: any that is free */
  startApart(env?: Readonly<Record<string, string>>, metricsPort?: number): Promise<Apart>;
  call(method: string, path: string, body?: object, key?: string): Promise<Record<string, unknown>>;
  /** A CASH_IN by the bank, captured. */
  collected(amount: number, key: string): Promise<string>;
  takenIn(lines: readonly Line[]): Promise<void>;
  /** Posted balance of an account; "0" where there is none. */
  posted(account: string): Promise<string>;
  close(): Promise<void>;
}

export async function openScene(): Promise<Scene> {
  const [database, ownDatabase, folder] = await Promise.all([
    createTestDatabase(),
    createEmptyDatabase(),
    mkdtemp(join(tmpdir(), 'kora-reconciliation-')),
  ]);
  const document = {
    profiles: [{ id: 'bank:SN', bank_name: 'A bank', supported_rails: [], statements: {} }],
    connectors: [{ id: 'sn-statements', type: 'mt940', profile: 'bank:SN' }],
  };
  await writeFile(join(folder, 'connectors.json'), JSON.stringify(document));
  const profiles = { '*': { ...defaultRulesDocument.profiles['*'], graceDays: 0 } };
  await writeFile(join(folder, 'rules.json'), JSON.stringify({ ...defaultRulesDocument, profiles }));
  const key = createServiceKey();
  const token = await issueServiceToken({ key, service: 'test', tenant: 'kora', ttlSeconds: 3_600 });
  const shared = {
    KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    KORA_EVENTS_SECRET: 'a secret of tests',
  };
  const coreEnv = {
    ...shared,
    DATABASE_URL: database.connectionString,
    KORA_DATA_DIR: join(folder, 'data'),
    KORA_CONNECTORS: join(folder, 'connectors.json'),
    KORA_STATEMENT_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  };
  const ownEnv = {
    KORA_RECONCILIATION_DATABASE_URL: ownDatabase.connectionString,
    KORA_RECONCILIATION_RULES: join(folder, 'rules.json'),
  };
  const [core, own] = [database, ownDatabase].map(({ poolConfig }) => new pg.Pool({ ...poolConfig, max: 2 })) as [
    pg.Pool,
    pg.Pool,
  ];
  let at = { http: '', tls: undefined as ClientTls | undefined };
  const send = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
    const sender = at.http.startsWith('https:') ? requestTls : requestPlain;
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const request = sender(at.http + path, {
      ...at.tls,
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    request.once('error', reject);
    request.once('response', (response) => {
      void textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    request.end(body);
    return promise;
  };
  const call: Scene['call'] = async (method, path, body, idempotencyKey = randomUUID()) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': idempotencyKey };
    const { status, text } = await send(method, path, headers, body && JSON.stringify(body));
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  return {
    coreEnv,
    ownEnv,
    folder,
    key,
    token,
    core,
    own,
    startCore: async (env = {}, tls) => {
      const serving = await serve([], { env: { ...coreEnv, ...env } });
      at = { http: serving.http, tls };
      return serving;
    },
    startApart: async (env = {}, metricsPort = 0) => {
      const ports = ['--http-port', '0', '--metrics-port', String(metricsPort)];
      const flags = ['--roles', 'reconciliation', '--json', ...ports];
      const apart = spawnKora(['serve', ...flags], {
        env: { ...shared, ...ownEnv, KORA_CORE_URL: at.http, KORA_DATA_DIR: join(folder, 'apart'), ...env },
      });
      const line = await new Promise<string>((resolve, reject) => {
        apart.process.stdout.once('data', (text: string) => resolve(text));
        void apart.ended.then(({ stderr }) => reject(new Error(`it did not start: ${stderr}`)));
      });
      return { ...apart, ...(JSON.parse(line) as Pick<Apart, 'http' | 'metrics'>) };
    },
    call,
    collected: async (amount, idempotencyKey) => {
      const body = { kind: 'CASH_IN', amount: String(amount), currency: 'XOF', payee: 'ada', provider: 'bank:SN' };
      return String((await call('POST', '/v1/payments', { ...body, upTo: 'CAPTURED' }, idempotencyKey))['paymentId']);
    },
    takenIn: async (lines) => {
      const headers = { 'content-type': 'application/octet-stream' };
      const { status, text } = await send('POST', '/v1/statements?profile=bank:SN', headers, statement(lines));
      if (status >= 300) throw new Error(`the statement was not taken in: ${status} ${text}`);
    },
    posted: async (account) => {
      const path = `/v1/accounts/${encodeURIComponent(account)}/balance`;
      const balance = await call('GET', path).catch(() => ({ posted: '0' }));
      return String((balance as Record<string, unknown>)['posted']);
    },
    close: async () => {
      await Promise.all([core.end(), own.end()]);
      await Promise.all([database.drop(), ownDatabase.drop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function until(what: string, condition: () => Promise<boolean>, patienceMs = 40_000): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`after ${patienceMs} ms it has not come to this: ${what}`);
    await sleep(100);
  }
}

/** A gauge as it is served; undefined where it is not. */
export async function metric(metrics: string, name: string): Promise<number | undefined> {
  const text = await (await fetch(metrics)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length));
}
