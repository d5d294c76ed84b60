import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Identity } from '../../src/identity/index.ts';
import { clearUp } from '../../src/identity/housekeeping.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { SigningKeys } from '../../src/identity/tokens/signing-keys.ts';
import { credentials, from, granted, IdentityStage, present, type Someone, verify } from './support.ts';

const HOUR_MS = 3_600_000;
const stage = new IdentityStage();

const kidOf = (token: string): string => present(decodeProtectedHeader(token).kid);
const kidsOf = (identity: Identity): string[] => identity.jwks().keys.map(({ kid }) => present(kid));

async function newToken({ login, device }: Someone): Promise<string> {
  return granted(await stage.identity.logIn(credentials(login, device), from())).accessToken;
}

// Access tokens last ten minutes, are verified by anybody with the JWKS, and their keys change without a token falling.
describe('access tokens', () => {
  it('are what the JWKS says, for whoever verifies them', async () => {
    const { signedIn, device } = await stage.someone();
    const jwks = stage.identity.jwks();
    const { payload, protectedHeader } = await jwtVerify(
      signedIn.accessToken,
      createLocalJWKSet(jwks as unknown as Parameters<typeof createLocalJWKSet>[0]),
      { issuer: 'kora/identity', audience: 'kora/doors', currentDate: stage.clock.now() },
    );
    expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
    expect(payload).toMatchObject({ sub: `user:${signedIn.userId}`, sid: signedIn.sessionId, did: device.id });
    for (const key of jwks.keys) {
      expect(Object.keys(key).sort(), 'no private part').toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    }
  });

  it('end after ten minutes, also where they were remembered as good', async () => {
    const { signedIn, device } = await stage.someone();
    stage.clock.advance(600_000);
    expect(await verify(stage.identity, signedIn.accessToken, device.id), 'clocks may differ').toMatchObject({
      ok: true,
    });
    stage.clock.advance(6_000);
    expect(await verify(stage.identity, signedIn.accessToken, device.id)).toMatchObject({
      ok: false,
      reason: 'expired',
    });
  });

  it('are not taken when forged', async () => {
    const { signedIn, device } = await stage.someone();
    const [header = '', payload = '', signature = ''] = signedIn.accessToken.split('.');
    const decoded = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const stranger = createServiceKey();
    const signedBy = (claims: object, kid = kidOf(signedIn.accessToken), typ = 'at+jwt'): Promise<string> =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA', typ, kid }).sign(stranger.privateKey);
    const forged: Record<string, string> = {
      'more roles': [header, encode({ ...decoded, roles: ['admin'] }), signature].join('.'),
      'another key under the same id': await signedBy(decoded),
      'a key that nobody has': await signedBy(decoded, 'unknown'),
      'no signature': [encode({ alg: 'none', typ: 'at+jwt' }), payload, ''].join('.'),
      'a service token': await issueServiceToken({ key: stranger, service: 'a', tenant: 'kora', ttlSeconds: 60 }),
      garbage: 'garbage',
    };
    for (const [what, token] of Object.entries(forged)) {
      expect(await verify(stage.identity, token, device.id), what).toMatchObject({ ok: false, reason: 'invalid' });
    }
  });

  it('of another kind, by the same key, are not taken', async () => {
    const { signedIn, device } = await stage.someone();
    const keys = new SigningKeys({ pool: stage.pool, keyring: stage.keyring, now: stage.clock.now });
    await keys.refresh();
    const { kid, privateKey } = await keys.signer();
    const claims = JSON.parse(
      Buffer.from(present(signedIn.accessToken.split('.')[1]), 'base64url').toString(),
    ) as object;
    const signed = (changes: object, typ: string): Promise<string> =>
      new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg: 'EdDSA', typ, kid }).sign(privateKey);
    expect(await verify(stage.identity, await signed({}, 'at+jwt'), device.id)).toMatchObject({ ok: true });
    for (const token of [
      await signed({}, 'JWT'),
      await signed({ iss: 'kora' }, 'at+jwt'),
      await signed({ aud: 'elsewhere' }, 'at+jwt'),
      await signed({ tenant: 'other' }, 'at+jwt'),
      await signed({ sub: 'service:shop' }, 'at+jwt'),
      await signed({ roles: ['service'] }, 'at+jwt'),
      await signed({ sid: undefined }, 'at+jwt'),
      await signed({ exp: undefined }, 'at+jwt'),
    ]) {
      expect(await verify(stage.identity, token, device.id)).toMatchObject({ ok: false, reason: 'invalid' });
    }
  });

  it('are signed by keys that rotate, each published before it signs and kept until its tokens have ended', async () => {
    const someone = await stage.someone();
    const keys = new SigningKeys({ pool: stage.pool, keyring: stage.keyring, now: stage.clock.now });
    await keys.refresh();
    const first = kidOf(await newToken(someone));
    expect(kidsOf(stage.identity)).toContain(first);

    // Half an hour before its end, its successor is published, and does not sign yet.
    const [row] = await stage.rows<{ signs_until: Date }>(
      'SELECT signs_until FROM identity.signing_keys WHERE kid = $1',
      [first],
    );
    const untilMs = present(row).signs_until.getTime();
    stage.clock.ms = untilMs - HOUR_MS / 12;
    await keys.refresh();
    const published = keys.jwks().keys.map(({ kid }) => present(kid));
    const [second] = published.filter((kid) => kid !== first);
    expect(published).toEqual([first, present(second)]);
    const last = await newToken(someone);
    expect(kidOf(last)).toBe(first);

    stage.clock.ms = untilMs;
    const next = await newToken(someone);
    expect(kidOf(next)).toBe(second);
    // The last token of the first key is good to its end; a process that has never seen the new key finds it.
    expect(await verify(stage.identity, last, someone.device.id)).toMatchObject({ ok: true });
    expect(await verify(await stage.open(), next, someone.device.id)).toMatchObject({ ok: true });

    stage.clock.advance(HOUR_MS / 2);
    expect(kidsOf(stage.identity)).not.toContain(first);
    stage.clock.advance(25 * HOUR_MS);
    await clearUp({ pool: stage.pool, now: stage.clock.now });
    expect(await stage.rows('SELECT FROM identity.signing_keys WHERE kid = $1', [first])).toEqual([]);
  });

  it('are signed by one key whichever process makes them, also after a long sleep', async () => {
    stage.clock.advance(100 * 24 * HOUR_MS);
    const processes = await Promise.all(Array.from({ length: 6 }, () => stage.open()));
    const someone = await stage.someone();
    const tokens: string[] = [];
    for (const identity of processes) {
      const signedIn = granted(await identity.logIn(credentials(someone.login, someone.device), from()));
      tokens.push(signedIn.accessToken);
    }
    expect(new Set(tokens.map(kidOf)).size).toBe(1);
    for (const identity of processes) {
      for (const token of tokens) expect(await verify(identity, token, someone.device.id)).toMatchObject({ ok: true });
    }
  });

  it('have private keys that are sealed in the database', async () => {
    const rows = await stage.rows<{ private_sealed: Buffer; kid: string }>(
      'SELECT kid, private_sealed FROM identity.signing_keys',
    );
    expect(rows.length).toBeGreaterThan(0);
    // PKCS #8 of Ed25519 begins so.
    const pkcs8 = Buffer.from('302e020100300506032b6570', 'hex');
    for (const { private_sealed, kid } of rows) {
      expect(private_sealed.includes(pkcs8)).toBe(false);
      expect(stage.keyring.open(private_sealed, `signing_keys.private/${kid}`).includes(pkcs8)).toBe(true);
    }
  });
});
