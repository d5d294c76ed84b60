import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller, PayRequest } from '../../src/actors/requests.ts';
import { type Kora, startKora } from '../../src/composition.ts';
import { mayOperateAccount, mayPay, mayReadAccount, mayReadPayment } from '../../src/gateway/access.ts';
import { partyOwners } from '../../src/gateway/party-owners.ts';
import { authenticator, type Principal } from '../../src/gateway/principal.ts';
import { type Credentials, type Identity, openIdentity, readKeyring } from '../../src/identity/index.ts';
import { isOwner } from '../../src/kernel/ids.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { cheapCost, goodPassword, keyringText } from '../identity/support.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { caller, cashIn, p2p } from '../support/wallets.ts';

/**
 * Proves that Identity, Ledger and Payments fit together with nothing but ids between them: who logged in owns what they
 * opened, pays from it and from nothing else, sees both sides of their payments, and is the same person after a new login.
 */
interface Person {
  readonly credentials: Credentials;
  readonly principal: Principal;
  readonly caller: Caller;
  readonly account: string;
}

describe('people and their money, over the faces of the modules', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let kora: Kora;
  let identity: Identity;
  let ada: Person;
  let ben: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    const config = configFrom({ DATABASE_URL: database.connectionString, KORA_LOG_LEVEL: 'silent' });
    const logger = createLogger({ level: 'silent', format: 'json', write: () => undefined });
    kora = await startKora(config, { logger, without: ['doors', 'scheduler'] });
    identity = await openIdentity({
      pool: kora.poolOf('identity'),
      keyring: readKeyring(keyringText('k1')),
      hashCost: cheapCost,
    });
    ada = await join('ada@example.org');
    ben = await join('+22507080910');
    await kora.payments.carryOut(cashIn(ada.account, 1_000n), caller);
    await kora.projected();
  });
  afterAll(async () => {
    await identity.close();
    await kora.close();
    await database.drop();
  });

  async function verified(token: string, deviceId: string): Promise<Principal> {
    const nobody = { verify: () => Promise.resolve({ ok: false, reason: 'invalid', message: 'no service' } as const) };
    const verdict = await authenticator({ services: nobody, users: identity.tokens }).verify(token, deviceId);
    if (!verdict.ok) throw new Error(verdict.message);
    return verdict.principal;
  }

  async function join(login: string): Promise<Person> {
    const device = { id: `device-${randomUUID()}`, publicKey: rawKey() };
    const credentials = { login, password: goodPassword, device };
    const answer = await identity.signUp(credentials, {});
    if (!answer.ok) throw new Error(answer.refusal.message);
    const principal = await verified(answer.value.accessToken, device.id);
    const by = callerOf(principal);
    const open = { type: 'OpenAccount', idempotencyKey: 'my wallet', walletType: 'customer', currency: 'XOF' } as const;
    const request = { ...open, owner: principal.principal };
    expect(mayOperateAccount(principal, request)).toBe(true);
    const opened = await kora.ledger.carryOut(request, by);
    if (!opened.ok) throw new Error(opened.refusal.message);
    return { credentials, principal, caller: by, account: opened.account?.accountId ?? '' };
  }

  const callerOf = ({ tenant, principal, sessionId }: Principal): Caller => ({
    tenant,
    principal,
    correlationId: 'test',
    ...(sessionId !== undefined && { session: sessionId }),
  });

  it('an id of Identity is an owner to the Ledger', async () => {
    expect(isOwner(ada.principal.principal)).toBe(true);
    expect((await kora.ledger.account(ada.account))?.owner).toBe(ada.principal.principal);
    expect(ada.account).not.toBe(ben.account);
    expect((await kora.ledger.accountsOf({ owner: ada.principal.principal }, { limit: 9 })).items).toMatchObject([
      { id: ada.account, posted: 1_000n },
    ]);
  });

  it('people pay from their own wallets only', async () => {
    const request: PayRequest = p2p(ada.account, ben.account, 300n, 'for lunch');
    const owners = await partyOwners(kora.ledger, request);
    expect(owners).toEqual({ payer: ada.principal.principal, payee: ben.principal.principal });
    expect(mayPay(ada.principal, request, owners)).toBe(true);
    expect(mayPay(ben.principal, request, owners)).toBe(false);
    expect(await kora.payments.carryOut(request, ada.caller)).toMatchObject({ ok: true });
    expect(await kora.ledger.account(ben.account)).toMatchObject({ posted: '300' });
  });

  it('both sides see a payment, and nobody else does', async () => {
    const eve = await join('eve@example.org');
    await kora.projected();
    const lists = await Promise.all(
      [ada, ben, eve].map(({ principal }) =>
        kora.payments.list({ owner: principal.principal, kind: 'P2P' }, { limit: 9 }),
      ),
    );
    expect(lists.map(({ items }) => items.length)).toEqual([1, 1, 0]);
    const payment = lists[0]?.items[0];
    const owners = await partyOwners(kora.ledger, payment ?? {});
    expect([ada, ben, eve].map(({ principal }) => mayReadPayment(principal, owners))).toEqual([true, true, false]);
    const wallet = await kora.ledger.account(ada.account);
    expect([ada, ben].map(({ principal }) => mayReadAccount(principal, wallet))).toEqual([true, false]);
  });

  it('who logs in again is the same owner, and a request sent again in the new session pays nothing again', async () => {
    const { sessionId: before } = ada.principal;
    await identity.logOut(ada.principal, {});
    const again = await identity.logIn(ada.credentials, {});
    if (!again.ok) throw new Error(again.refusal.message);
    const principal = await verified(again.value.accessToken, ada.credentials.device.id);
    expect(principal.principal).toBe(ada.principal.principal);
    expect(principal.sessionId).not.toBe(before);
    const request = p2p(ada.account, ben.account, 300n, 'for lunch');
    expect(await kora.payments.carryOut(request, callerOf(principal))).toMatchObject({ ok: true, duplicate: true });
    expect(await kora.ledger.account(ben.account)).toMatchObject({ posted: '300' });
  });

  it('the log knows ids and sessions, and nothing of what people are called', async () => {
    const text: string[] = [];
    for await (const unit of kora.log.readAll(0)) text.push(JSON.stringify(unit));
    const log = text.join('\n');
    expect(log).toContain(ada.principal.principal);
    expect(log).toContain(ada.principal.sessionId);
    for (const { login, password } of [ada.credentials, ben.credentials]) {
      expect(log).not.toContain(login);
      expect(log).not.toContain(password);
    }
  });
});

/** An Ed25519 public key as a device sends it. */
function rawKey(): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  return publicKey.export({ format: 'jwk' }).x ?? '';
}
