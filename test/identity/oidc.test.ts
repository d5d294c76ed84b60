import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { authenticator, type Authenticator, type AuthVerdict } from '../../src/gateway/principal.ts';
import { createServiceKey, issueServiceToken, tokenVerifier } from '../../src/gateway/service-token.ts';
import type { Identity, IdentityOptions } from '../../src/identity/index.ts';
import { OidcUnavailableError } from '../../src/identity/oidc.ts';
import { codeOf, IdentityStage, newDevice, present, signedRequest } from './support.ts';

const stage = new IdentityStage();

/** A provider on loopback: discovery and keys, as real ones answer them. */
class Provider {
  readonly asked: string[] = [];
  keys = [newKey('a')];
  document: Record<string, unknown> | undefined;
  status = 200;
  #server: Server | undefined;

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.asked.push(request.url ?? '');
      const body =
        request.url === '/tenant/.well-known/openid-configuration'
          ? (this.document ?? { issuer: this.issuer, jwks_uri: `${this.issuer}/keys` })
          : {
              keys: this.keys.map(({ kid, publicKey, alg }) => ({ ...publicKey.export({ format: 'jwk' }), kid, alg })),
            };
      response.writeHead(this.status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
  }

  stop(): Promise<unknown> {
    return new Promise((resolve) => this.#server?.close(resolve));
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server?.address() as AddressInfo).port}/tenant`;
  }

  token(
    claims: Record<string, unknown> = {},
    { key = present(this.keys[0]), lifeSeconds = 300, issuer = this.issuer, audience = 'wallet' } = {},
  ): Promise<string> {
    const now = Math.floor(stage.clock.ms / 1000);
    return new SignJWT({ sub: 'ada', roles: ['member'], ...claims })
      .setProtectedHeader({ alg: key.alg, kid: key.kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + lifeSeconds)
      .sign(key.privateKey);
  }
}

interface ProviderKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function newKey(kid: string, alg: 'RS256' | 'ES256' = 'RS256'): ProviderKey {
  const pair =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid, alg, ...pair };
}

const provider = new Provider();
const roles = { member: 'customer', shop: 'merchant', help: 'support' } as const;
const serviceKey = createServiceKey();

interface Doors {
  readonly identity: Identity;
  readonly doors: Authenticator;
}

async function open(changes: Partial<NonNullable<IdentityOptions['oidc']>> = {}): Promise<Doors> {
  const oidc = { issuer: provider.issuer, audience: 'wallet', rolesClaim: 'roles', roles, ...changes };
  const identity = await stage.open({ oidc });
  return { identity, doors: authenticator({ services: tokenVerifier(serviceKey), users: identity.tokens }) };
}

beforeAll(() => provider.start());
afterAll(() => provider.stop());
afterEach(() => {
  provider.status = 200;
  provider.document = undefined;
});

const rolesOf = (verdict: AuthVerdict): readonly string[] => (verdict.ok ? verdict.principal.roles : [verdict.reason]);

// People come in with tokens of a provider that the configuration names: with these, and with nobody else's.
describe('an OIDC issuer', () => {
  it('lets its users in, as an id that says nothing of them and is the same every time', async () => {
    const { doors } = await open();
    const verdict = await doors.verify(
      await provider.token({ roles: ['member', 'shop', 'boss'], email: 'a@b.example' }),
    );
    expect(verdict).toMatchObject({
      ok: true,
      principal: { tenant: 'kora', roles: ['customer', 'merchant'], scopes: [] },
    });
    if (!verdict.ok) return;
    expect(verdict.principal.principal).toMatch(/^user:[\w-]{27}$/);
    expect(Object.keys(verdict.principal).sort()).toEqual(['expiresAtMs', 'principal', 'roles', 'scopes', 'tenant']);
    const again = await (await open()).doors.verify(await provider.token({ roles: [] }));
    const other = await doors.verify(await provider.token({ sub: 'grace' }));
    expect(again).toMatchObject({ principal: { principal: verdict.principal.principal } });
    expect(other).not.toMatchObject({ principal: { principal: verdict.principal.principal } });
  });

  it('stands beside service tokens and our own', async () => {
    const { doors } = await open();
    const { signedIn, device } = await stage.someone();
    const service = await issueServiceToken({ key: serviceKey, service: 'shop', tenant: 'kora', ttlSeconds: 60 });
    expect(rolesOf(await doors.verify(service))).toEqual(['service']);
    expect(rolesOf(await doors.verify(signedIn.accessToken, device.id))).toEqual(['customer']);
    expect(rolesOf(await doors.verify(undefined))).toEqual(['missing']);
    for (const token of ['garbage', 'a.b.c', '..', 'x'.repeat(10_000), 'e30.e30.']) {
      expect(rolesOf(await doors.verify(token)), token.slice(0, 20)).toEqual(['invalid']);
    }
  });

  it('alone lets people in where local users are off: what was issued here is not good any more', async () => {
    const { signedIn, device } = await stage.someone();
    const oidc = { issuer: provider.issuer, audience: 'wallet', rolesClaim: 'roles', roles };
    const identity = await stage.open({ oidc, localUsers: false });
    const doors = authenticator({ services: tokenVerifier(serviceKey), users: identity.tokens });
    expect(rolesOf(await doors.verify(await provider.token()))).toEqual(['customer']);
    expect(rolesOf(await doors.verify(signedIn.accessToken, device.id))).toEqual(['invalid']);
    const asked = { refreshToken: signedIn.refreshToken, deviceId: device.id };
    expect(codeOf(await identity.refresh(asked, {}))).toBe('LocalUsersOff');
  });

  it('names roles where the configuration says, and never makes a service', async () => {
    const deep = await open({ rolesClaim: 'realm_access.roles' });
    const token = await provider.token({ roles: ['shop'], realm_access: { roles: ['help', 'service', '__proto__'] } });
    expect(rolesOf(await deep.doors.verify(token))).toEqual(['support']);
    const text = await open({ rolesClaim: 'scope' });
    expect(rolesOf(await text.doors.verify(await provider.token({ scope: 'openid member shop' })))).toEqual([
      'customer',
      'merchant',
    ]);
    for (const odd of [undefined, 7, { member: true }, [['member']]]) {
      expect(rolesOf(await text.doors.verify(await provider.token({ scope: odd })))).toEqual([]);
    }
  });

  it('is not believed in another’s name, for another’s audience, or after the end', async () => {
    const { doors } = await open();
    const stranger = newKey('a');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${present((await provider.token()).split('.')[1])}.`;
    const hmac = await new SignJWT({ sub: 'ada' })
      .setProtectedHeader({ alg: 'HS256', kid: 'a' })
      .setIssuer(provider.issuer)
      .setAudience('wallet')
      .setExpirationTime('5m')
      .sign(randomBytes(32));
    const bad: Record<string, string> = {
      'another key of the same name': await provider.token({}, { key: stranger }),
      'another audience': await provider.token({}, { audience: 'other' }),
      'another issuer': await provider.token({}, { issuer: `${provider.issuer}/` }),
      'no subject': await provider.token({ sub: '' }),
      'no signature': none,
      'a shared secret': hmac,
    };
    for (const [what, token] of Object.entries(bad))
      expect(rolesOf(await doors.verify(token)), what).toEqual(['invalid']);
    expect(rolesOf(await doors.verify(await provider.token({}, { lifeSeconds: -6 })))).toEqual(['expired']);

    const token = await provider.token({}, { lifeSeconds: 60 });
    expect(rolesOf(await doors.verify(token))).toEqual(['customer']);
    stage.clock.advance(66_000);
    expect(rolesOf(await doors.verify(token)), 'also where it was remembered as good').toEqual(['expired']);
  });

  it('may rotate its keys, and is asked for them once', async () => {
    const { doors } = await open();
    provider.asked.length = 0;
    const tokens = await Promise.all(Array.from({ length: 10 }, (_, index) => provider.token({ sub: `u${index}` })));
    for (const verdict of await Promise.all(tokens.map((token) => doors.verify(token)))) expect(verdict.ok).toBe(true);
    expect(provider.asked.length).toBeLessThanOrEqual(2);
    provider.keys = [newKey('b', 'ES256'), ...provider.keys];
    const late = await open();
    expect(rolesOf(await late.doors.verify(await provider.token()))).toEqual(['customer']);
    expect(rolesOf(await late.doors.verify(present(tokens[0])))).toEqual(['customer']);
  });

  it('that does not answer, or answers for another, is a fault and no verdict; then it works again', async () => {
    const { doors } = await open({ retryMs: 0 });
    const token = await provider.token();
    provider.status = 503;
    await expect(doors.verify(token)).rejects.toBeInstanceOf(OidcUnavailableError);
    provider.status = 200;
    for (const document of [
      { issuer: 'https://other.example', jwks_uri: `${provider.issuer}/keys` },
      { issuer: provider.issuer, jwks_uri: 'http://keys.example/keys' },
      { issuer: provider.issuer },
    ]) {
      provider.document = document;
      await expect(doors.verify(token)).rejects.toBeInstanceOf(OidcUnavailableError);
    }
    provider.document = undefined;
    expect(rolesOf(await doors.verify(token))).toEqual(['customer']);
  });

  it('that does not answer is not asked again for each token', async () => {
    const { doors } = await open({ retryMs: 60_000 });
    const token = await provider.token();
    provider.status = 503;
    provider.asked.length = 0;
    for (let count = 0; count < 5; count += 1) {
      await expect(doors.verify(token)).rejects.toBeInstanceOf(OidcUnavailableError);
    }
    expect(provider.asked).toHaveLength(1);
  });

  it('may bind a token to a device, whose key then proves sensitive commands', async () => {
    const { identity, doors } = await open();
    const device = newDevice();
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: device.publicKey };
    const deviceId = await calculateJwkThumbprint(jwk);
    const token = await provider.token({ cnf: { jwk } });
    expect(rolesOf(await doors.verify(token))).toEqual(['wrong-device']);
    expect(rolesOf(await doors.verify(token, device.id))).toEqual(['wrong-device']);
    const verdict = await doors.verify(token, deviceId);
    if (!verdict.ok) throw new Error(verdict.reason);
    const someone = { principal: verdict.principal, device };
    expect(codeOf(await identity.verifySensitive(signedRequest(someone, stage.clock.now())))).toBe('granted');
    const forged = signedRequest({ ...someone, device: newDevice() }, stage.clock.now());
    expect(codeOf(await identity.verifySensitive(forged))).toBe('SignatureInvalid');

    const unbound = await doors.verify(await provider.token());
    if (!unbound.ok) throw new Error(unbound.reason);
    const unproven = signedRequest({ principal: unbound.principal, device }, stage.clock.now());
    expect(codeOf(await identity.verifySensitive(unproven))).toBe('SignatureRequired');
    for (const cnf of [{ jkt: 'x' }, { jwk: { kty: 'RSA' } }, { jwk: { ...jwk, x: 'short' } }]) {
      expect(rolesOf(await doors.verify(await provider.token({ cnf }), deviceId))).toEqual(['invalid']);
    }
  });

  it('keeps what it knows of its users: here they have an id and roles only', async () => {
    const { identity, doors } = await open();
    const verdict = await doors.verify(await provider.token());
    if (!verdict.ok) throw new Error(verdict.reason);
    const { principal } = verdict;
    expect(await identity.me(principal)).toMatchObject({ ok: true, value: { roles: ['customer'] } });
    expect(await identity.sessions(principal)).toEqual({ ok: true, value: [] });
    expect(codeOf(await identity.logOut(principal, {}))).toBe('SessionNotFound');
    const change = { current: 'whatever-it-was', next: 'another-Horse-82-battery' };
    expect(codeOf(await identity.changePassword(principal, change, {}))).toBe('NotPermitted');
  });
});
