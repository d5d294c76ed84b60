import { rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKora, type Kora } from '../../../src/composition.ts';
import type { Scope } from '../../../src/gateway/scopes.ts';
import { createServiceKey, issueServiceToken } from '../../../src/gateway/service-token.ts';
import { keyringOf } from '../../../src/identity-options.ts';
import { changeRoleByLogin, type UserRole } from '../../../src/identity/index.ts';
import { configFrom, type Texts } from '../../../src/platform/config.ts';
import { createLogger } from '../../../src/platform/logging.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { CuttingProxy } from './cutting-proxy.ts';

const silent = createLogger({ level: 'silent', format: 'json', write: () => undefined });

/** The real product: http and stream doors over a real Postgres, behind proxies that can be told to cut connections. */
export interface Stage {
  readonly http: CuttingProxy;
  readonly stream: CuttingProxy;
  /** Of the doors, through the proxies. */
  readonly urls: { readonly baseUrl: string; readonly streamUrl: string };
  readonly kora: Kora;
  /** Default: for an hour, and for everything that services may. */
  serviceToken(service?: string, ttlSeconds?: number, scopes?: readonly Scope[]): Promise<string>;
  /** What `kora identity grant` does. */
  grant(login: string, role: UserRole): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(env: Texts = {}): Promise<Stage> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'kora-sdk-'));
  const key = createServiceKey();
  const config = configFrom({
    DATABASE_URL: database.connectionString,
    KORA_DATA_DIR: folder,
    KORA_SERVICE_KEY: String(key.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    KORA_HTTP_PORT: '0',
    KORA_RPC_PORT: '0',
    KORA_STREAM_PORT: '0',
    KORA_METRICS_PORT: '0',
    ...env,
  });
  const [http, stream] = [await CuttingProxy.open(), await CuttingProxy.open()];
  let kora: Kora;
  const start = async (): Promise<void> => {
    kora = await startKora(config, { logger: silent });
    http.target = kora.httpPort ?? 0;
    stream.target = kora.streamPort ?? 0;
  };
  await start();
  return {
    http,
    stream,
    urls: { baseUrl: `http://127.0.0.1:${http.port}`, streamUrl: `ws://127.0.0.1:${stream.port}/stream` },
    get kora() {
      return kora;
    },
    serviceToken: (service = 'till', ttlSeconds = 3_600, scopes) =>
      issueServiceToken({ key, service, tenant: 'kora', ttlSeconds, ...(scopes && { scopes }) }),
    async grant(login, role) {
      const vault = {
        pool: kora.poolOf('identity'),
        keyring: await keyringOf(config),
        tenant: 'kora',
        now: () => new Date(),
      };
      const { ok } = await changeRoleByLogin(vault, { login, role, grant: true });
      if (!ok) throw new Error(`${role} could not be granted`);
    },
    stop: () => kora.close(),
    start,
    async close() {
      await Promise.all([http.close(), stream.close()]);
      await kora.close();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
