import { createHmac, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  bearerToken,
  createServiceKey,
  issueServiceToken,
  loadOrCreateServiceKey,
  readServiceKey,
  readServicePublicKeys,
  ServiceKeyError,
  tokenVerifier,
} from '../../src/gateway/service-token.ts';

const key = createServiceKey();
const issue = (changes: Partial<Parameters<typeof issueServiceToken>[0]> = {}) =>
  issueServiceToken({ key, service: 'shop', tenant: 'acme', ttlSeconds: 60, ...changes });

// A token is taken only as it was issued: by this key, for these doors, and until it ends.
describe('service tokens', () => {
  it('says who it speaks for', async () => {
    const verdict = await tokenVerifier(key).verify(await issue());
    expect(verdict).toMatchObject({
      ok: true,
      identity: { service: 'shop', tenant: 'acme', principal: 'service:shop' },
    });
  });

  it('ends, also where it was remembered as good', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    const verifier = tokenVerifier(key, { now: () => now });
    const token = await issue({ now: () => now });
    expect(await verifier.verify(token)).toMatchObject({ ok: true });
    now = new Date('2026-01-01T00:01:04Z');
    expect(await verifier.verify(token), 'clocks may differ by five seconds').toMatchObject({ ok: true });
    now = new Date('2026-01-01T00:01:05Z');
    expect(await verifier.verify(token)).toEqual({
      ok: false,
      reason: 'expired',
      message: 'the service token expired at 2026-01-01T00:01:00.000Z: get a new one',
    });
  });

  it('is not taken when it was made by another key, changed, or signed by another algorithm', async () => {
    const verifier = tokenVerifier(key);
    const token = await issue();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), tenant: 'other' };
    const secret = key.publicKey.export({ type: 'spki', format: 'pem' });
    const hs256 = `${encoded({ alg: 'HS256' })}.${payload}`;
    const forged: Record<string, string> = {
      'another key': await issue({ key: createServiceKey() }),
      'another payload': `${header}.${encoded(claims)}.${signature}`,
      'no signature': `${header}.${payload}.`,
      'alg none': `${encoded({ alg: 'none' })}.${payload}.`,
      'the public key as a shared secret': `${hs256}.${createHmac('sha256', secret).update(hs256).digest('base64url')}`,
      'no token': 'garbage',
      'a very long one': 'a'.repeat(100_000),
    };
    for (const [name, text] of Object.entries(forged)) {
      expect(await verifier.verify(text), name).toMatchObject({ ok: false, reason: 'invalid' });
    }
    expect(await verifier.verify(undefined)).toMatchObject({ ok: false, reason: 'missing' });
    expect(await verifier.verify('')).toMatchObject({ ok: false, reason: 'missing' });
  });

  it('is not taken with claims that are not for these doors', async () => {
    const signed = (changes: (token: SignJWT) => SignJWT, tenant: unknown = 'acme'): Promise<string> =>
      changes(
        new SignJWT({ tenant })
          .setProtectedHeader({ alg: 'EdDSA' })
          .setIssuer('kora')
          .setAudience('kora/doors')
          .setSubject('service:shop')
          .setExpirationTime('1m'),
      ).sign(key.privateKey);
    const verifier = tokenVerifier(key);
    const asIs = await signed((token) => token);
    expect(await verifier.verify(asIs)).toMatchObject({ ok: true });
    const others = [
      await signed((token) => token.setIssuer('someone')),
      await signed((token) => token.setAudience('elsewhere')),
      await signed((token) => token.setSubject('user:shop')),
      await signed((token) => token.setSubject('service:a b')),
      await signed((token) => token.setNotBefore('1h')),
      await signed((token) => token, 42),
      await new SignJWT({ tenant: 'acme' })
        .setProtectedHeader({ alg: 'EdDSA' })
        .setIssuer('kora')
        .setAudience('kora/doors')
        .setSubject('service:shop')
        .sign(key.privateKey),
    ];
    for (const token of others) expect(await verifier.verify(token)).toMatchObject({ ok: false, reason: 'invalid' });
  });

  it('remembers a bounded number of tokens', async () => {
    const verifier = tokenVerifier(key, { cacheMax: 2 });
    const tokens = await Promise.all(['a', 'b', 'c'].map((service) => issue({ service })));
    for (const token of [...tokens, ...tokens]) expect(await verifier.verify(token)).toMatchObject({ ok: true });
  });

  it('is not issued for what cannot be right', async () => {
    await expect(issue({ service: 'a b' })).rejects.toThrow(RangeError);
    await expect(issue({ tenant: '' })).rejects.toThrow(RangeError);
    await expect(issue({ ttlSeconds: 0 })).rejects.toThrow(RangeError);
    await expect(issue({ ttlSeconds: 1.5 })).rejects.toThrow(RangeError);
  });

  it('comes as a bearer', () => {
    expect(bearerToken('Bearer abc')).toBe('abc');
    expect(bearerToken('bearer  abc ')).toBe('abc');
    expect(bearerToken('Basic abc')).toBeUndefined();
    expect(bearerToken('Bearer a b')).toBeUndefined();
    expect(bearerToken(null)).toBeUndefined();
  });
});

// What a token may is signed with it, and nothing that cannot be read becomes "everything".
describe('scopes of tokens', () => {
  const scopesOf = async (token: string) => {
    const verdict = await tokenVerifier(key).verify(token);
    return verdict.ok ? verdict.identity.scopes : verdict.reason;
  };
  const claiming = (scope: unknown): Promise<string> =>
    new SignJWT({ tenant: 'acme', scope })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer('kora')
      .setAudience('kora/doors')
      .setSubject('service:shop')
      .setExpirationTime('1m')
      .sign(key.privateKey);

  it('are none, which is everything, or those that were given', async () => {
    expect(await scopesOf(await issue())).toBeUndefined();
    const given = ['payments:write', 'stream:read', 'payments:write'] as const;
    expect(await scopesOf(await issue({ scopes: given }))).toEqual(['payments:write', 'stream:read']);
  });

  it('are not issued empty or unknown', async () => {
    await expect(issue({ scopes: [] })).rejects.toThrow(RangeError);
    await expect(issue({ scopes: ['payments:steal' as 'payments:write'] })).rejects.toThrow(/payments:steal/);
  });

  it('are nothing where the claim holds nothing, and no token where it is no text', async () => {
    expect(await scopesOf(await claiming(''))).toEqual([]);
    expect(await scopesOf(await claiming('later:scope  payments:read'))).toEqual(['later:scope', 'payments:read']);
    for (const scope of [[], ['payments:write'], 1, {}, null]) {
      expect(await scopesOf(await claiming(scope)), JSON.stringify(scope)).toBe('invalid');
    }
  });
});

// A key is replaced while tokens of the one before are still about: those that are named here are taken, no others.
describe('rotation of the key', () => {
  const [before, now, never] = [createServiceKey(), createServiceKey(), createServiceKey()];
  const spki = ({ publicKey }: Pick<typeof before, 'publicKey'>) =>
    publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const pkcs8 = ({ privateKey }: typeof before) => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  it('takes tokens of every accepted key, by the name of the key', async () => {
    const verifier = tokenVerifier([now, before]);
    for (const signing of [now, before])
      expect(await verifier.verify(await issue({ key: signing }))).toMatchObject({ ok: true });
    expect(await verifier.verify(await issue({ key: never }))).toMatchObject({ ok: false, reason: 'invalid' });
    expect(await tokenVerifier(now).verify(await issue({ key: before }))).toMatchObject({
      ok: false,
      reason: 'invalid',
    });
  });

  it('is not fooled by the name of another key, or of none', async () => {
    const named = (kid: string | undefined, signing: typeof before) =>
      new SignJWT({ tenant: 'acme' })
        .setProtectedHeader({ alg: 'EdDSA', ...(kid !== undefined && { kid }) })
        .setIssuer('kora')
        .setAudience('kora/doors')
        .setSubject('service:shop')
        .setExpirationTime('1m')
        .sign(signing.privateKey);
    const kidOf = async (of: typeof before) =>
      (
        JSON.parse(Buffer.from((await issue({ key: of })).split('.')[0] ?? '', 'base64url').toString()) as {
          kid: string;
        }
      ).kid;
    const verifier = tokenVerifier([now, before]);
    const verdict = async (token: string) => (await verifier.verify(token)).ok;
    expect(await verdict(await named(await kidOf(now), never))).toBe(false);
    expect(await verdict(await named(await kidOf(now), before))).toBe(false);
    expect(await verdict(await named('', now))).toBe(false);
    expect(await verdict(await named('../service-key.pem', now))).toBe(false);
    // As an older Kora made them.
    expect(await verdict(await named(undefined, before))).toBe(true);
    expect(await verdict(await named(undefined, never))).toBe(false);
  });

  it('says of an expired token of an earlier key that it expired', async () => {
    const token = await issue({ key: before, now: () => new Date(Date.now() - 3_600_000) });
    expect(await tokenVerifier([now, before]).verify(token)).toMatchObject({ ok: false, reason: 'expired' });
  });

  it('reads the accepted keys from PEM, private or public, and from JWK Sets', async () => {
    const jwk = (of: typeof before) => of.publicKey.export({ format: 'jwk' });
    for (const text of [
      `${spki(before)}\n${pkcs8(now)}`,
      JSON.stringify({ keys: [jwk(before), now.privateKey.export({ format: 'jwk' })] }),
    ]) {
      const verifier = tokenVerifier(readServicePublicKeys(text));
      for (const signing of [now, before])
        expect(await verifier.verify(await issue({ key: signing }))).toMatchObject({ ok: true });
    }
    expect(readServicePublicKeys(JSON.stringify(jwk(before)))).toHaveLength(1);
    expect(readServicePublicKeys(pkcs8(now))[0]?.publicKey.type).toBe('public');
  });

  it('refuses what is no key, or not of the kind, and never says what it was', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' });
    expect(() => readServicePublicKeys(rsa.toString())).toThrow(/of type rsa: an Ed25519 key is needed/);
    for (const text of [
      'secret-text',
      '{secret-text',
      `${spki(before)}secret-text`,
      '{"keys":["secret-text"]}',
      '{"keys":[]}',
    ]) {
      expect(() => readServicePublicKeys(text), text).toThrow(ServiceKeyError);
      expect(() => readServicePublicKeys(text)).not.toThrow(/secret-text/);
    }
  });
});

// The key of a data folder is made once, whoever comes first, and nobody else reads it.
describe('service keys', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'kora-key-'));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  it('is one for all who start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateServiceKey(dataDir)));
    const token = await issueServiceToken({ key: keys[0] ?? key, service: 'shop', tenant: 'acme', ttlSeconds: 60 });
    for (const other of keys) expect(await tokenVerifier(other).verify(token)).toMatchObject({ ok: true });
    expect(await readdir(join(dataDir, 'keys'))).toEqual(['service-key.pem']);
    expect((await stat(join(dataDir, 'keys', 'service-key.pem'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, 'keys'))).mode & 0o777).toBe(0o700);
  });

  it('is refused where others can read it, and where it is none', async () => {
    await loadOrCreateServiceKey(dataDir);
    const file = join(dataDir, 'keys', 'service-key.pem');
    await chmod(file, 0o644);
    await expect(loadOrCreateServiceKey(dataDir)).rejects.toThrow(/others can read .*service-key\.pem/);
    await chmod(file, 0o600);
    await writeFile(file, 'not a key');
    await expect(loadOrCreateServiceKey(dataDir)).rejects.toThrow(
      /service-key\.pem: the service key is no private key/,
    );
  });

  it('leaves no draft behind when it cannot be placed', async () => {
    await mkdir(join(dataDir, 'keys', 'service-key.pem'), { recursive: true });
    await expect(loadOrCreateServiceKey(dataDir)).rejects.toThrow();
    expect(await readdir(join(dataDir, 'keys'))).toEqual(['service-key.pem']);
  });

  it('is read from PEM and JWK, and the message never holds it', async () => {
    const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const jwk = JSON.stringify(key.privateKey.export({ format: 'jwk' }));
    for (const text of [pem, `\n${jwk}`]) {
      const token = await issueServiceToken({ key: readServiceKey(text), service: 'shop', tenant: 'a', ttlSeconds: 9 });
      expect(await tokenVerifier(key).verify(token)).toMatchObject({ ok: true });
    }
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    expect(() => readServiceKey(rsa.toString())).toThrow(/of type rsa: an Ed25519 key is needed/);
    for (const text of [
      'secret-text',
      '{secret-text',
      key.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ]) {
      expect(() => readServiceKey(text)).toThrow(ServiceKeyError);
      expect(() => readServiceKey(text)).not.toThrow(/secret-text/);
    }
    expect(await readFile(join(dataDir, 'keys', 'service-key.pem'), 'utf8').catch(() => 'none')).toBe('none');
  });
});
