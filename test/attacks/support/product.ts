import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startKora, type Kora } from '../../../src/composition.ts';
import type { Scope } from '../../../src/gateway/scopes.ts';
import { createServiceKey, issueServiceToken, type ServiceKey } from '../../../src/gateway/service-token.ts';
import { configFrom, type Texts } from '../../../src/platform/config.ts';
import { createLogger } from '../../../src/platform/logging.ts';
import { launcher } from '../../cli/kora-process.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { http, type HttpAnswer, type HttpCall, Person } from './person.ts';

/** The product as it runs, with every door, on a real Postgres. What it logs is kept. */
export interface Product {
  readonly kora: Kora;
  readonly http: string;
  readonly rpc: string;
  readonly stream: string;
  readonly key: ServiceKey;
  readonly lines: string[];
  /** As whoever administers the database sees it. */
  readonly database: pg.Pool;
  /** A call of a service with these scopes; without, with all. */
  service(method: string, path: string, call?: HttpCall, scopes?: readonly Scope[]): Promise<HttpAnswer>;
  serviceToken(scopes?: readonly Scope[], service?: string): Promise<string>;
  /** A call of the rpc door, as JSON. */
  callRpc(method: string, body: object, token?: string): Promise<HttpAnswer>;
  /** The command line on the same database. */
  cli(...args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }>;
  signUp(login?: string): Promise<Person>;
  /** Somebody with this role in place of `customer`, as an operator would give it, with a token that has it. */
  staff(role: 'merchant' | 'support' | 'reviewer' | 'admin'): Promise<Person>;
  /** Puts money on an account. */
  fund(account: string, amount: string): Promise<void>;
  close(): Promise<void>;
}

export async function openProduct(env: Texts = {}): Promise<Product> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'kora-attacks-'));
  const key = createServiceKey();
  const texts = {
    DATABASE_URL: database.connectionString,
    KORA_DATA_DIR: folder,
    KORA_SERVICE_KEY: String(key.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    KORA_IDENTITY_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    KORA_HTTP_PORT: '0',
    KORA_RPC_PORT: '0',
    KORA_STREAM_PORT: '0',
    KORA_METRICS_PORT: '0',
    // Every person of these tests comes from an address of their own.
    KORA_HTTP_TRUSTED_PROXIES: '127.0.0.1',
    ...env,
  };
  const lines: string[] = [];
  const logger = createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) });
  const kora = await startKora(configFrom(texts), { logger });
  const pool = new pg.Pool({ ...database.poolConfig, max: 2 });
  // One attack cuts every connection, an idle one of this pool too.
  pool.on('error', () => undefined);
  const origin = `http://127.0.0.1:${kora.httpPort ?? 0}`;
  const rpc = `http://127.0.0.1:${kora.rpcPort ?? 0}`;
  const serviceToken: Product['serviceToken'] = (scopes, service = 'till') =>
    issueServiceToken({ key, service, tenant: 'kora', ttlSeconds: 3_600, ...(scopes && { scopes }) });
  const service: Product['service'] = async (method, path, call = {}, scopes?) =>
    http(origin, method, path, { token: await serviceToken(scopes), ...call });
  // In hooks too, where `kora()` cannot be used.
  const cli: Product['cli'] = (...args) =>
    new Promise((resolve) => {
      const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...texts };
      execFile(process.execPath, [launcher, ...args], { env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, stdout, stderr });
      });
    });
  const signUp = (login = newLogin()): Promise<Person> => Person.signedUp(origin, login);
  return {
    kora,
    http: origin,
    rpc,
    stream: `ws://127.0.0.1:${kora.streamPort ?? 0}/stream`,
    key,
    lines,
    database: pool,
    service,
    serviceToken,
    callRpc: async (method, body, token) => http(rpc, 'POST', `/kora.v1.${method}`, { body, ...(token && { token }) }),
    cli,
    signUp,
    async staff(role) {
      const person = await signUp();
      for (const change of [
        ['grant', person.login, role],
        ['revoke', person.login, 'customer'],
      ]) {
        const { code, stderr } = await cli('identity', ...change);
        if (code !== 0) throw new Error(`kora identity ${change.join(' ')}: ${stderr}`);
      }
      await person.credentials('log-in');
      return person;
    },
    async fund(payee, amount) {
      const body = { kind: 'CASH_IN', amount, currency: 'XOF', payee, provider: 'cash' };
      const answer = await service('POST', '/v1/payments', { body });
      if (answer.status !== 201) throw new Error(`funding was answered ${answer.status}: ${answer.text}`);
    },
    async close() {
      await kora.close();
      await pool.end();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function newLogin(): string {
  return `+2217${String(randomBytes(4).readUInt32BE() % 100_000_000).padStart(8, '0')}`;
}
