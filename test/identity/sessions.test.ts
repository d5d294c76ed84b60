import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { codeOf, credentials, from, granted, IdentityStage, newDevice, verify } from './support.ts';

const stage = new IdentityStage();

const DAY_MS = 24 * 3_600_000;

// A session lives on one device, can be seen and ended by its user, and when it ends, so do its tokens.
describe('sessions', () => {
  it('are not for another device', async () => {
    const { device, signedIn } = await stage.someone();
    for (const deviceId of [newDevice().id, `${device.id} `, '', undefined]) {
      expect(await verify(stage.identity, signedIn.accessToken, deviceId), String(deviceId)).toMatchObject({
        ok: false,
        reason: 'wrong-device',
      });
    }
    expect(await verify(stage.identity, signedIn.accessToken, device.id)).toMatchObject({ ok: true });
    const noted = await stage.rows(
      "SELECT FROM identity.audit WHERE action = 'use-token' AND outcome = 'WrongDevice' AND session_id = $1",
      [signedIn.sessionId],
    );
    expect(noted, 'written down, once a minute').toHaveLength(1);
  });

  it('end when a refresh token comes from another device', async () => {
    const { device, signedIn } = await stage.someone();
    const { refreshToken } = signedIn;
    expect(codeOf(await stage.identity.refresh({ refreshToken, deviceId: newDevice().id }, from()))).toBe(
      'RefreshRefused',
    );
    expect(codeOf(await stage.identity.refresh({ refreshToken, deviceId: device.id }, from()))).toBe('RefreshRefused');
    expect(await verify(stage.identity, signedIn.accessToken, device.id)).toMatchObject({ ok: false, reason: 'ended' });
  });

  it('are listed for their user, and nobody else’s', async () => {
    const { login, principal, device } = await stage.someone();
    await stage.someone();
    stage.clock.advance(1_000);
    const elsewhere = newDevice();
    const second = granted(await stage.identity.logIn(credentials(login, elsewhere), from()));
    const listed = granted(await stage.identity.sessions(principal));
    expect(listed.map(({ id, deviceId, current }) => ({ id, deviceId, current }))).toEqual([
      { id: second.sessionId, deviceId: elsewhere.id, current: false },
      { id: principal.sessionId, deviceId: device.id, current: true },
    ]);
  });

  it('end at once in this process, with their refresh token', async () => {
    const { login, principal } = await stage.someone();
    const elsewhere = newDevice();
    const lost = granted(await stage.identity.logIn(credentials(login, elsewhere), from()));
    expect(await verify(stage.identity, lost.accessToken, elsewhere.id)).toMatchObject({ ok: true });
    granted(await stage.identity.endSession(principal, lost.sessionId, from()));
    expect(await verify(stage.identity, lost.accessToken, elsewhere.id)).toMatchObject({ ok: false, reason: 'ended' });
    const asked = { refreshToken: lost.refreshToken, deviceId: elsewhere.id };
    expect(codeOf(await stage.identity.refresh(asked, from()))).toBe('RefreshRefused');
    expect(granted(await stage.identity.sessions(principal)).map(({ id }) => id)).toEqual([principal.sessionId]);
    expect(codeOf(await stage.identity.endSession(principal, lost.sessionId, from()))).toBe('SessionNotFound');
  });

  it('of somebody else are answered as those that are not there', async () => {
    const [one, other] = [await stage.someone(), await stage.someone()];
    const foreign = await stage.identity.endSession(one.principal, other.signedIn.sessionId, from());
    const unknown = await stage.identity.endSession(one.principal, 'AAAAAAAAAAAAAAAAAAAAAA', from());
    expect(foreign).toEqual(unknown);
    expect(codeOf(foreign)).toBe('SessionNotFound');
    expect(await verify(stage.identity, other.signedIn.accessToken, other.device.id)).toMatchObject({ ok: true });
  });

  it('end with the log-out, which may come twice', async () => {
    const { principal, signedIn, device } = await stage.someone();
    granted(await stage.identity.logOut(principal, from()));
    granted(await stage.identity.logOut(principal, from()));
    expect(await verify(stage.identity, signedIn.accessToken, device.id)).toMatchObject({ ok: false, reason: 'ended' });
    const service = { principal: 'service:shop', roles: ['service'] };
    expect(codeOf(await stage.identity.logOut(service, from()))).toBe('NotPermitted');
  });

  it('that end in one process are ended in another within seconds', async () => {
    const other = await stage.open();
    const { principal, signedIn, device } = await stage.someone();
    expect(await verify(other, signedIn.accessToken, device.id)).toMatchObject({ ok: true });
    granted(await stage.identity.logOut(principal, from()));
    const started = Date.now();
    while ((await verify(other, signedIn.accessToken, device.id)).ok) {
      expect(Date.now() - started).toBeLessThan(3_000);
      await sleep(10);
    }
    expect(await verify(other, signedIn.accessToken, device.id)).toMatchObject({ ok: false, reason: 'ended' });
  });

  it('that ended before a process started are ended for it', async () => {
    const { principal, signedIn, device } = await stage.someone();
    granted(await stage.identity.logOut(principal, from()));
    const late = await stage.open({ pollMs: 3_600_000 });
    expect(await verify(late, signedIn.accessToken, device.id)).toMatchObject({ ok: false, reason: 'ended' });
  });

  it('are asked for one by one by a process that hears nothing of the others', async () => {
    const deaf = await stage.open({ pollMs: 3_600_000 });
    const [ended, live] = [await stage.someone(), await stage.someone()];
    granted(await stage.identity.logOut(ended.principal, from()));
    expect(await verify(deaf, ended.signedIn.accessToken, ended.device.id), 'not heard of yet').toMatchObject({
      ok: true,
    });
    stage.clock.advance(6_000);
    expect(await verify(deaf, ended.signedIn.accessToken, ended.device.id)).toMatchObject({
      ok: false,
      reason: 'ended',
    });
    expect(await verify(deaf, live.signedIn.accessToken, live.device.id)).toMatchObject({ ok: true });
  });

  it('end after thirty days without a refresh, and after a hundred and eighty with', async () => {
    const { device, signedIn, principal } = await stage.someone();
    const idle = await stage.someone();
    let { refreshToken } = signedIn;
    const refresh = async (): Promise<string> => {
      const answer = await stage.identity.refresh({ refreshToken, deviceId: device.id }, from());
      if (answer.ok) refreshToken = answer.value.refreshToken;
      return codeOf(answer);
    };
    for (let day = 0; day < 174; day += 29) {
      stage.clock.advance(29 * DAY_MS);
      expect(await refresh()).toBe('granted');
    }
    const asked = { refreshToken: idle.signedIn.refreshToken, deviceId: idle.device.id };
    expect(codeOf(await stage.identity.refresh(asked, from()))).toBe('RefreshRefused');
    stage.clock.advance(7 * DAY_MS);
    expect(await refresh()).toBe('RefreshRefused');
    expect(granted(await stage.identity.sessions(principal))).toEqual([]);
  });
});
