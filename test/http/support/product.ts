import { createHash, randomBytes, randomUUID, sign } from 'node:crypto';
import pg from 'pg';
import { PostgresLog } from '../../../eventstore/index.ts';
import type { Terms } from '../../../src/actors/requests.ts';
import { Runtime } from '../../../src/actors/runtime.ts';
import type { Connectors } from '../../../src/gateway/connectors.ts';
import { type HttpDoor, type HttpDoorOptions, startHttpDoor } from '../../../src/gateway/http/http-door.ts';
import { authenticator, type Role } from '../../../src/gateway/principal.ts';
import type { Scope } from '../../../src/gateway/scopes.ts';
import { createServiceKey, issueServiceToken, tokenVerifier } from '../../../src/gateway/service-token.ts';
import { type Identity, openIdentity, readKeyring, signedText, type UserRole } from '../../../src/identity/index.ts';
import { createLedger, type Ledger } from '../../../src/ledger/index.ts';
import { type ModuleName, moduleRoles } from '../../../src/modules.ts';
import { createPayments, type Payments } from '../../../src/payments/index.ts';
import { createLogger } from '../../../src/platform/logging.ts';
import { asRole } from '../../../src/platform/postgres/module-roles.ts';
import {
  installProjections,
  connectorStates,
  countOpenPayments,
  projections,
  runProjector,
  waitForPosition,
} from '../../../src/projections/index.ts';
import {
  cheapCost,
  credentials,
  from,
  goodPassword,
  granted,
  keyringText,
  newDevice,
  newLogin,
  type TestDevice,
} from '../../identity/support.ts';
import { createWebhooks } from '../../../src/webhooks/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';

/** Somebody who calls: the headers that say who they are, and how they sign. */
export interface Someone {
  readonly principal: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly device?: TestDevice;
}

export interface Asked {
  readonly body?: unknown;
  /** Default: a new one for each POST. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A body that is no JSON. */
  readonly text?: string;
  /** Signs with the caller's device, as sensitive commands want it. */
  readonly signed?: true;
}

/** Fields of whatever was answered. Those of another kind of answer are not there: a test that looks at one fails. */
export interface Body {
  readonly id: string;
  readonly accountId: string;
  readonly paymentId: string;
  readonly payoutId: string;
  readonly slices: readonly { readonly paymentId: string; readonly amount: string; readonly status: string }[];
  readonly principal: string;
  readonly owner: string;
  readonly status: string;
  readonly posted: string;
  readonly code: string;
  readonly field: string;
  readonly detail: string;
  readonly correlationId: string;
  readonly openapi: string;
  readonly failure: Readonly<Record<string, unknown>>;
  readonly items: readonly Item[];
  readonly next?: string;
}
export interface Item {
  readonly id: string;
  readonly accountId: string;
  readonly payoutId: string;
  readonly amount: string;
  readonly state: string;
  readonly sentence: string;
  readonly by: string;
  readonly current: boolean;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
  readonly text: string;
}

/** The http door before the modules and a database of their own, all as in the product. */
export interface HttpProduct {
  readonly database: TestDatabase;
  readonly admin: pg.Pool;
  readonly log: PostgresLog;
  readonly runtime: Runtime;
  readonly ledger: Ledger;
  readonly payments: Payments;
  readonly identity: Identity;
  readonly door: HttpDoor;
  readonly url: string;
  /** What was logged, a line each. */
  readonly lines: readonly string[];
  /** Another door before the same modules, as another process would have it. */
  readonly open: (options?: Partial<HttpDoorOptions>) => Promise<HttpDoor>;
  readonly service: (scopes?: readonly Scope[], name?: string) => Promise<Someone>;
  readonly user: (...roles: readonly UserRole[]) => Promise<Someone>;
  readonly call: (who: Someone | undefined, method: string, path: string, asked?: Asked) => Promise<Answered>;
  /** As `call`, and the answer must be good. */
  readonly must: (who: Someone | undefined, method: string, path: string, asked?: Asked) => Promise<Answered>;
  /** When the read models have everything. */
  readonly projected: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openProduct(
  options: Partial<HttpDoorOptions> = {},
  terms: Partial<Terms> = {},
): Promise<HttpProduct> {
  const database = await createTestDatabase();
  const pools: pg.Pool[] = [];
  const poolOf = (module: ModuleName): pg.Pool => {
    const pool = new pg.Pool({ ...asRole(database.poolConfig, moduleRoles[module].role), max: 5 });
    // A test may cut it off.
    pool.on('error', () => undefined);
    pools.push(pool);
    return pool;
  };
  const admin = new pg.Pool({ ...database.poolConfig, max: 2 });
  admin.on('error', () => undefined);
  const lines: string[] = [];
  const logger = createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) });
  const log = new PostgresLog({ config: asRole(database.poolConfig, moduleRoles.eventstore.role) });
  const projector = poolOf('projector');
  const stop = new AbortController();
  // Before anybody asks: the projector would make its tables beside the first questions.
  await installProjections(projector, projections);
  const projecting = runProjector({ log, pool: projector, projections, signal: stop.signal }).catch(() => undefined);
  const paymentsPool = poolOf('payments');
  const runtime = new Runtime({
    log,
    terms,
    openPaymentsOf: (accountId) => countOpenPayments(paymentsPool, accountId),
  });
  const ledger = createLedger({ runtime, pool: poolOf('ledger') });
  const payments = createPayments({ runtime, ledger, pool: paymentsPool });
  const keyring = readKeyring(keyringText('k1'));
  const webhooks = createWebhooks({
    pool: poolOf('webhooks'),
    sealer: keyring,
    lastPosition: () => log.lastPosition(),
    endpointsMax: 1_000,
  });
  const providersPool = poolOf('providers');
  const connectors: Connectors = {
    list: () => connectorStates(providersPool),
    connector: (id) => runtime.connector(id),
    serves: () => false,
    ask: () => Promise.resolve({ outcome: 'refused', code: 'NotAskable', message: 'no connectors are configured' }),
    carryOut: (request, caller) => runtime.operate(request, caller),
    isApplied: (request, caller) => runtime.isApplied(request, caller),
  };
  const identity = await openIdentity({
    pool: poolOf('identity'),
    keyring,
    hashCost: cheapCost,
  });
  const key = createServiceKey();
  const doors: HttpDoor[] = [];
  const open = async (changed: Partial<HttpDoorOptions> = {}): Promise<HttpDoor> => {
    const door = await startHttpDoor({
      ledger,
      payments,
      connectors,
      identity,
      webhooks,
      authenticator: authenticator({ services: tokenVerifier(key), users: identity.tokens }),
      pool: poolOf('gateway'),
      logger,
      host: '127.0.0.1',
      port: 0,
      secret: randomBytes(32),
      ...options,
      ...changed,
    });
    doors.push(door);
    return door;
  };
  const door = await open();
  const url = `http://127.0.0.1:${door.port}`;
  const call = (who: Someone | undefined, method: string, path: string, asked: Asked = {}): Promise<Answered> =>
    callAt(url, who, method, path, asked);
  return {
    database,
    admin,
    log,
    runtime,
    ledger,
    payments,
    identity,
    door,
    url,
    lines,
    open,
    call,
    must: async (who, method, path, asked) => {
      const answered = await call(who, method, path, asked);
      if (answered.status >= 400) throw new Error(`${method} ${path}: ${answered.status} ${answered.text}`);
      return answered;
    },
    service: async (scopes, name = 'shop') => {
      const token = await issueServiceToken({
        key,
        service: name,
        tenant: 'kora',
        ttlSeconds: 3_600,
        ...(scopes && { scopes }),
      });
      return { principal: `service:${name}`, headers: { authorization: `Bearer ${token}` } };
    },
    user: (...roles) => userOf(identity, roles),
    projected: async () => {
      await waitForPosition(projector, await log.lastPosition(), 20_000);
    },
    close: async () => {
      await Promise.all(doors.map((one) => one.close()));
      await runtime.drain();
      await identity.close();
      stop.abort();
      await projecting;
      await log.close();
      await Promise.all([...pools, admin].map((pool) => pool.end()));
      await database.drop();
    },
  };
}

/** Calls a door as a client does. A fetch of its own, so that what is sent is what is said here. */
export async function callAt(
  url: string,
  who: Someone | undefined,
  method: string,
  path: string,
  { body, text: sent, key, headers = {}, signed }: Asked,
): Promise<Answered> {
  const text = sent ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(method === 'POST' && { 'idempotency-key': key ?? randomUUID() }),
      ...(text !== undefined && { 'content-type': 'application/json' }),
      ...who?.headers,
      ...(signed === true && who !== undefined ? signatureOf(who, method, path, text ?? '') : {}),
      ...headers,
    },
    ...(text !== undefined && { body: text }),
  });
  const answer = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    headers: response.headers,
    text: answer,
    body: (isJson ? JSON.parse(answer) : {}) as Body,
  };
}

export function signatureOf(
  { device }: Someone,
  method: string,
  path: string,
  body: string,
  at = new Date(),
): Record<string, string> {
  if (device === undefined) return {};
  const timestamp = at.toISOString();
  const nonce = randomBytes(16).toString('base64url');
  const bodySha256 = createHash('sha256').update(body).digest('hex');
  const signed = signedText({ method, path, timestamp, nonce, bodySha256 });
  const signature = sign(null, Buffer.from(signed), device.privateKey).toString('base64url');
  return { 'kora-timestamp': timestamp, 'kora-nonce': nonce, 'kora-signature': signature };
}

/** Somebody new with exactly these roles, logged in. */
async function userOf(identity: Identity, roles: readonly UserRole[]): Promise<Someone> {
  const login = newLogin();
  const device = newDevice();
  const { userId } = granted(await identity.signUp(credentials(login, device), from()));
  const operator: { principal: string; roles: readonly Role[] } = { principal: 'user:operator', roles: ['admin'] };
  granted(await identity.changeRoles(operator, { userId, roles }, from()));
  const { accessToken } = granted(await identity.logIn(credentials(login, device, goodPassword), from()));
  return {
    principal: `user:${userId}`,
    device,
    headers: { authorization: `Bearer ${accessToken}`, 'kora-device': device.id },
  };
}
