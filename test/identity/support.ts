import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect } from 'vitest';
import type { AuthVerdict, Principal } from '../../src/gateway/principal.ts';
import {
  type Answer,
  type Credentials,
  type Identity,
  type IdentityOptions,
  openIdentity,
  readKeyring,
  type SensitiveRequest,
  signedText,
  type SignedIn,
} from '../../src/identity/index.ts';
import { moduleRoles } from '../../src/modules.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/** Good for tests only: some hundred hashes a second. */
export const cheapCost = { memoryKiB: 64, passes: 1 };

export const goodPassword = 'correct-Pony-71-staple';

export function keyringText(id: string): string {
  return `${id}:${randomBytes(32).toString('base64url')}`;
}

/** A clock that the test moves. */
export class TestClock {
  ms = Date.now();
  readonly now = (): Date => new Date(this.ms);
  advance(ms: number): void {
    this.ms += ms;
  }
}

/** An identity with a database of its own, as the role of the module. Opened before the tests of the file. */
export class IdentityStage {
  readonly keyring = readKeyring(keyringText('k1'));
  readonly clock = new TestClock();
  #database: TestDatabase | undefined;
  #pool: pg.Pool | undefined;
  #admin: pg.Pool | undefined;
  #identity: Identity | undefined;
  readonly #others: Identity[] = [];

  constructor(options: Partial<IdentityOptions> = {}) {
    beforeAll(async () => {
      this.#database = await createTestDatabase();
      this.#pool = poolThatIsCut({ ...asRole(this.#database.poolConfig, moduleRoles.identity.role), max: 20 });
      this.#admin = poolThatIsCut({ ...this.#database.poolConfig, max: 2 });
      this.#identity = await this.open(options);
    });
    afterAll(async () => {
      for (const identity of this.#others) await identity.close();
      await this.#pool?.end();
      await this.#admin?.end();
      await this.#database?.drop();
    });
  }

  get identity(): Identity {
    return present(this.#identity);
  }

  /** As the module sees the database. */
  get pool(): pg.Pool {
    return present(this.#pool);
  }

  /** As whoever migrates sees it. */
  get admin(): pg.Pool {
    return present(this.#admin);
  }

  /** Another process on the same database, but for the process. */
  async open(options: Partial<IdentityOptions> = {}): Promise<Identity> {
    const identity = await openIdentity({
      pool: this.pool,
      keyring: this.keyring,
      hashCost: cheapCost,
      now: this.clock.now,
      pollMs: 50,
      onTrouble: (error) => expect.fail(String(error)),
      ...options,
    });
    this.#others.push(identity);
    return identity;
  }

  async rows<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.admin.query<Row>(sql, values)).rows;
  }

  /** Somebody new, signed up and logged in. */
  async someone(device = newDevice(), login = newLogin()): Promise<Someone> {
    const signedIn = granted(await this.identity.signUp({ login, password: goodPassword, device }, from()));
    return { login, device, signedIn, principal: await this.principalOf(signedIn, device) };
  }

  async principalOf({ accessToken }: SignedIn, device: TestDevice): Promise<Principal> {
    const verdict = await verify(this.identity, accessToken, device.id);
    if (!verdict.ok) throw new Error(`not let in: ${verdict.reason}`);
    return verdict.principal;
  }
}

/** A pool says that it has ended before its connections have; the database is dropped under the last of them. */
function poolThatIsCut(config: pg.PoolConfig): pg.Pool {
  const ignored = (): void => undefined;
  return new pg.Pool(config).on('error', ignored).on('connect', (client) => client.on('error', ignored));
}

export interface Someone {
  readonly login: string;
  readonly device: TestDevice;
  readonly signedIn: SignedIn;
  readonly principal: Principal;
}

export interface TestDevice {
  readonly id: string;
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export function newDevice(id = `device-${randomBytes(6).toString('hex')}`): TestDevice {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { id, publicKey: publicKey.export({ format: 'jwk' }).x ?? '', privateKey };
}

export function newLogin(): string {
  return `+2217${String(randomBytes(4).readUInt32BE() % 100_000_000).padStart(8, '0')}`;
}

export function credentials(login: string, device: TestDevice, password = goodPassword): Credentials {
  return { login, password, device: { id: device.id, publicKey: device.publicKey } };
}

/** An address of its own for each call, unless one is given: back-off per address is not what most tests are about. */
export function from(address = `10.${randomBytes(3).join('.')}`): { address: string; correlationId: string } {
  return { address, correlationId: 'test' };
}

export function verify(identity: Identity, token: string, deviceId?: string): Promise<AuthVerdict> {
  return present(identity.tokens[0]).verify(token, deviceId);
}

export function granted<Value>(answer: Answer<Value>): Value {
  if (!answer.ok) throw new Error(`refused: ${answer.refusal.code}`);
  return answer.value;
}

export function codeOf(answer: Answer<unknown>): string {
  return answer.ok ? 'granted' : answer.refusal.code;
}

/** A sensitive request, signed as an app does it. */
export function signedRequest(
  { principal, device }: Pick<Someone, 'principal' | 'device'>,
  now: Date,
  changes: Partial<SensitiveRequest> = {},
): SensitiveRequest {
  const bodySha256 = createHash('sha256').update('{"amount":"100"}').digest('hex');
  const nonce = randomBytes(16).toString('base64url');
  const parts = { method: 'POST', path: '/v1/payments', timestamp: now.toISOString(), nonce, bodySha256, ...changes };
  const { timestamp, nonce: sent } = parts;
  const text = signedText({ ...parts, timestamp: timestamp ?? '', nonce: sent ?? '' });
  const signature = sign(null, Buffer.from(text), device.privateKey).toString('base64url');
  return { principal, signature, ...parts };
}

export function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('not there');
  return value;
}
