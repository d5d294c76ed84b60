import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { clearUp } from '../../src/identity/housekeeping.ts';
import { codeOf, from, IdentityStage, newDevice, present, signedRequest } from './support.ts';

const stage = new IdentityStage();

// A sensitive command is taken once, from its device, now, and as it was signed.
describe('sensitive commands', () => {
  it('are taken when the device signed them, and not a second time', async () => {
    const someone = await stage.someone();
    const request = signedRequest(someone, stage.clock.now());
    expect(codeOf(await stage.identity.verifySensitive(request, from()))).toBe('granted');
    expect(codeOf(await stage.identity.verifySensitive(request, from()))).toBe('NonceReplayed');
    // With a new nonce it is a new request.
    expect(codeOf(await stage.identity.verifySensitive(signedRequest(someone, stage.clock.now())))).toBe('granted');
  });

  it('are taken once of many at once, in two processes', async () => {
    const other = await stage.open();
    const request = signedRequest(await stage.someone(), stage.clock.now());
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? stage.identity : other).verifySensitive(request)),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(new Set(answers.map(codeOf))).toEqual(new Set(['granted', 'NonceReplayed']));
  });

  it('are refused when anything that was signed is changed', async () => {
    const someone = await stage.someone();
    const request = signedRequest(someone, stage.clock.now());
    const changed = {
      method: { ...request, method: 'PUT' },
      path: { ...request, path: '/v1/payments?x' },
      body: { ...request, bodySha256: createHash('sha256').update('{"amount":"100000"}').digest('hex') },
      timestamp: { ...request, timestamp: new Date(stage.clock.ms + 1).toISOString() },
      nonce: { ...request, nonce: 'another-nonce-another' },
      'another device’s key': {
        ...signedRequest({ ...someone, device: newDevice() }, stage.clock.now()),
        nonce: request.nonce,
      },
    };
    for (const [what, one] of Object.entries(changed)) {
      expect(codeOf(await stage.identity.verifySensitive(one)), what).toBe('SignatureInvalid');
    }
    // What is refused does not spend the nonce for the device that signed it.
    expect(codeOf(await stage.identity.verifySensitive(request))).toBe('granted');
  });

  it('are refused without a signature, from services and from unknown devices', async () => {
    const someone = await stage.someone();
    const request = signedRequest(someone, stage.clock.now());
    const { principal: _, deviceId: __, ...rest } = { ...request, ...someone.principal };
    const unsigned = [
      { ...request, signature: undefined },
      { ...request, nonce: undefined },
      { ...request, timestamp: undefined },
      { ...request, principal: { ...someone.principal, principal: 'service:shop' } },
      { ...request, principal: { principal: someone.principal.principal, roles: rest.roles } },
      { ...request, principal: { ...someone.principal, deviceId: 'device-unknown' } },
    ];
    for (const one of unsigned) expect(codeOf(await stage.identity.verifySensitive(one))).toBe('SignatureRequired');
  });

  it('are refused where a part cannot be one', async () => {
    const someone = await stage.someone();
    const now = stage.clock.now();
    for (const changes of [
      { timestamp: now.toUTCString() },
      { timestamp: String(now.getTime()) },
      { timestamp: `${now.toISOString()}\nx` },
      { nonce: 'short' },
      { nonce: 'x'.repeat(65) },
      { nonce: 'with spaces in it, which is' },
    ]) {
      expect(codeOf(await stage.identity.verifySensitive(signedRequest(someone, now, changes)))).toBe(
        'SignatureInvalid',
      );
    }
    const request = { ...signedRequest(someone, now), signature: 'A'.repeat(85) };
    expect(codeOf(await stage.identity.verifySensitive(request))).toBe('SignatureInvalid');
  });

  it('are good for two minutes to either side, and cannot be replayed at any time of them', async () => {
    const someone = await stage.someone();
    const at = (ms: number): ReturnType<typeof signedRequest> => signedRequest(someone, new Date(stage.clock.ms + ms));
    expect(codeOf(await stage.identity.verifySensitive(at(-120_001)))).toBe('TimestampOutsideWindow');
    expect(codeOf(await stage.identity.verifySensitive(at(120_001)))).toBe('TimestampOutsideWindow');
    expect(codeOf(await stage.identity.verifySensitive(at(-120_000)))).toBe('granted');
    // The latest that it may be: good until four minutes from now, and its nonce is kept as long.
    const early = at(120_000);
    expect(codeOf(await stage.identity.verifySensitive(early))).toBe('granted');
    for (let seconds = 0; seconds < 240; seconds += 20) {
      stage.clock.advance(20_000);
      await clearUp({ pool: stage.pool, now: stage.clock.now });
      expect(codeOf(await stage.identity.verifySensitive(early))).toBe('NonceReplayed');
    }
    stage.clock.advance(1);
    expect(codeOf(await stage.identity.verifySensitive(early))).toBe('TimestampOutsideWindow');
    stage.clock.advance(120_000);
    await clearUp({ pool: stage.pool, now: stage.clock.now });
    const kept = await stage.rows('SELECT FROM identity.nonces WHERE nonce = $1', [early.nonce]);
    expect(kept, 'and no longer').toEqual([]);
  });

  it('are in the journal, taken or not, without their query', async () => {
    const someone = await stage.someone();
    const request = signedRequest(someone, stage.clock.now(), { path: '/v1/accounts/ada/freeze?why=private' });
    await stage.identity.verifySensitive(request, from());
    await stage.identity.verifySensitive(request, from());
    const rows = await stage.rows<{ outcome: string; detail: unknown; actor: string; device_id: string }>(
      "SELECT outcome, detail, actor, device_id FROM identity.audit WHERE action = 'sensitive-command' AND actor = $1 ORDER BY id",
      [someone.principal.principal],
    );
    expect(rows.map(({ outcome }) => outcome)).toEqual(['accepted', 'NonceReplayed']);
    expect(present(rows[0])).toMatchObject({
      device_id: someone.device.id,
      detail: { method: 'POST', path: '/v1/accounts/ada/freeze' },
    });
  });
});
