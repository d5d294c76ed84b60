import { describe, expect, it } from 'vitest';
import {
  codeOf,
  credentials,
  from,
  goodPassword,
  granted,
  IdentityStage,
  newDevice,
  newLogin,
  present,
  verify,
} from './support.ts';

const stage = new IdentityStage();

// People sign up and log in with a number or an address, however they write it; everything else is refused as it should be.
describe('signing up', () => {
  it('makes a customer with a session on their device', async () => {
    const device = newDevice();
    const signedIn = granted(await stage.identity.signUp(credentials(newLogin(), device), from()));
    expect(signedIn.roles).toEqual(['customer']);
    expect(await verify(stage.identity, signedIn.accessToken, device.id)).toMatchObject({
      ok: true,
      principal: {
        tenant: 'kora',
        principal: `user:${signedIn.userId}`,
        roles: ['customer'],
        scopes: [],
        sessionId: signedIn.sessionId,
        deviceId: device.id,
      },
    });
  });

  it('knows a login again however it is written', async () => {
    const login = '+221 77 999 00 01';
    const device = newDevice();
    granted(await stage.identity.signUp(credentials(login, device), from()));
    expect(codeOf(await stage.identity.signUp(credentials('00221-779990001', newDevice()), from()))).toBe('LoginTaken');
    granted(await stage.identity.logIn(credentials('(+221) 779990001', device), from()));

    granted(await stage.identity.signUp(credentials('Ada@Example.com', device), from()));
    expect(codeOf(await stage.identity.signUp(credentials('ada@EXAMPLE.com', device), from()))).toBe('LoginTaken');
    granted(await stage.identity.logIn(credentials(' ADA@example.com', device), from()));
  });

  it('makes one user of sign-ups that race', async () => {
    const login = newLogin();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => stage.identity.signUp(credentials(login, newDevice()), from())),
    );
    expect(answers.map(codeOf).sort()).toEqual([...Array.from({ length: 7 }, () => 'LoginTaken'), 'granted']);
  });

  it('refuses passwords that the policy refuses, also those made of the login', async () => {
    for (const [password, reason] of [
      ['short', 'short'],
      ['1234567890', 'breached'],
      ['marguerite-duras', 'guessable'],
    ] as const) {
      const request = credentials('marguerite.duras@mail.example', newDevice(), password);
      expect(await stage.identity.signUp(request, from())).toMatchObject({
        ok: false,
        refusal: { code: 'PasswordRefused', reason },
      });
    }
  });

  it('refuses what is no login, no device or no key, and never repeats it', async () => {
    const device = newDevice();
    const asked = [
      { ...credentials('0771234567', device), field: 'login' },
      { ...credentials(newLogin(), { ...device, id: 'short' }), field: 'device.id' },
      { ...credentials(newLogin(), { ...device, publicKey: 'a'.repeat(42) }), field: 'device.publicKey' },
      // The last character has bits that mean nothing: two texts would be one key.
      { ...credentials(newLogin(), { ...device, publicKey: `${'A'.repeat(42)}B` }), field: 'device.publicKey' },
    ];
    for (const { field, ...request } of asked) {
      const answer = await stage.identity.signUp(request, from());
      expect(answer).toMatchObject({ ok: false, refusal: { code: 'InvalidIdentity', field } });
      expect(JSON.stringify(answer)).not.toContain(request.login);
      expect(codeOf(await stage.identity.logIn(request, from()))).toBe('InvalidIdentity');
    }
  });
});

describe('logging in', () => {
  it('gives an unknown login and a wrong password the same answer', async () => {
    const { login, device } = await stage.someone();
    const wrong = await stage.identity.logIn(credentials(login, device, 'not-the-Password-9'), from());
    const unknown = await stage.identity.logIn(credentials(newLogin(), device), from());
    expect(wrong).toEqual(unknown);
    expect(wrong).toMatchObject({ ok: false, refusal: { code: 'WrongCredentials' } });
  });

  it('opens a session of its own each time', async () => {
    const { login, device, signedIn } = await stage.someone();
    const second = granted(await stage.identity.logIn(credentials(login, newDevice()), from()));
    const third = granted(await stage.identity.logIn(credentials(login, device), from()));
    expect(new Set([signedIn, second, third].map(({ sessionId }) => sessionId)).size).toBe(3);
    expect([second.userId, third.userId]).toEqual([signedIn.userId, signedIn.userId]);
  });

  it('takes a known device only with the key that it had', async () => {
    const { login, device } = await stage.someone();
    const impostor = newDevice(device.id);
    expect(codeOf(await stage.identity.logIn(credentials(login, impostor), from()))).toBe('DeviceKeyMismatch');
    // Whoever has not got the password does not even learn that.
    expect(codeOf(await stage.identity.logIn(credentials(login, impostor, 'not-the-Password-9'), from()))).toBe(
      'WrongCredentials',
    );
    // The id is the device's own for each user: another person's phone may have chosen the same.
    granted(await stage.identity.logIn(credentials((await stage.someone()).login, impostor), from()));
  });

  it('hashes a password again that was hashed at another cost', async () => {
    const { login, device, signedIn } = await stage.someone();
    const sealed = async (): Promise<string> => {
      const rows = await stage.rows<{ password_sealed: Buffer }>(
        'SELECT password_sealed FROM identity.users WHERE id = $1',
        [signedIn.userId],
      );
      return present(rows[0]).password_sealed.toString('hex');
    };
    const before = await sealed();
    granted(await stage.identity.logIn(credentials(login, device), from()));
    expect(await sealed()).toBe(before);
    const dearer = await stage.open({ hashCost: { memoryKiB: 128, passes: 2 } });
    granted(await dearer.logIn(credentials(login, device), from()));
    const after = await sealed();
    expect(after).not.toBe(before);
    granted(await dearer.logIn(credentials(login, device), from()));
    expect(await sealed()).toBe(after);
  });

  it('keeps twenty sessions of a user, and ends the one that was not used for longest', async () => {
    const { login, device, signedIn } = await stage.someone();
    for (let count = 0; count < 20; count += 1) {
      stage.clock.advance(1_000);
      granted(await stage.identity.logIn(credentials(login, newDevice()), from()));
    }
    expect(await verify(stage.identity, signedIn.accessToken, device.id)).toMatchObject({ ok: false, reason: 'ended' });
    const caller = { principal: `user:${signedIn.userId}`, roles: [] };
    expect(granted(await stage.identity.sessions(caller))).toHaveLength(20);
  });

  it('is off where all users come from an issuer', async () => {
    const closed = await stage.open({ localUsers: false });
    const request = credentials(newLogin(), newDevice());
    expect(codeOf(await closed.signUp(request, from()))).toBe('LocalUsersOff');
    expect(codeOf(await closed.logIn(request, from()))).toBe('LocalUsersOff');
  });
});

describe('one’s own account', () => {
  it('is shown to its owner', async () => {
    const { principal, signedIn } = await stage.someone(newDevice(), 'Grace.Hopper@navy.example');
    expect(granted(await stage.identity.me(principal))).toMatchObject({
      principal: `user:${signedIn.userId}`,
      userId: signedIn.userId,
      roles: ['customer'],
      login: { kind: 'email', value: 'grace.hopper@navy.example' },
    });
    expect(codeOf(await stage.identity.me({ principal: 'service:shop', roles: ['service'] }))).toBe('NotPermitted');
  });

  it('gets another password, which ends every other session', async () => {
    const { login, device, principal, signedIn } = await stage.someone();
    const elsewhere = newDevice();
    const other = granted(await stage.identity.logIn(credentials(login, elsewhere), from()));
    const next = 'another-Horse-82-battery';
    const change = (current: string, to: string): Promise<string> =>
      stage.identity.changePassword(principal, { current, next: to }, from()).then(codeOf);
    expect(await change('not-the-Password-9', next)).toBe('WrongCredentials');
    expect(await change(goodPassword, 'short')).toBe('PasswordRefused');
    expect(await change(goodPassword, next)).toBe('granted');

    expect(await verify(stage.identity, other.accessToken, elsewhere.id)).toMatchObject({ ok: false, reason: 'ended' });
    const asked = { refreshToken: other.refreshToken, deviceId: elsewhere.id };
    expect(codeOf(await stage.identity.refresh(asked, from()))).toBe('RefreshRefused');
    expect(await verify(stage.identity, signedIn.accessToken, device.id)).toMatchObject({ ok: true });
    expect(codeOf(await stage.identity.logIn(credentials(login, device), from()))).toBe('WrongCredentials');
    granted(await stage.identity.logIn(credentials(login, device, next), from()));
  });

  it('is changed once by changes that race', async () => {
    const { principal } = await stage.someone();
    const answers = await Promise.all(
      ['first-New-Password-1', 'second-New-Password-2', 'third-New-Password-3'].map((next) =>
        stage.identity.changePassword(principal, { current: goodPassword, next }, from()),
      ),
    );
    expect(answers.map(codeOf).sort()).toEqual(['WrongCredentials', 'WrongCredentials', 'granted']);
  });
});
