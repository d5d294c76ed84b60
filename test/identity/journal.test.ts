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
  type Someone,
} from './support.ts';

const stage = new IdentityStage();

interface Entry {
  readonly actor: string;
  readonly action: string;
  readonly outcome: string;
  readonly subject: string | null;
  readonly session_id: string | null;
  readonly login_hash: string | null;
  readonly origin_hash: string | null;
  readonly correlation_id: string | null;
}

const entriesAbout = (subject: string): Promise<Entry[]> =>
  stage.rows<Entry>('SELECT * FROM identity.audit WHERE subject = $1 ORDER BY id', [subject]);

// Every decision is written down: who, what, when, from where as a keyed hash. What is written stays.
describe('the journal', () => {
  it('has every decision about somebody, in order', async () => {
    const address = '203.0.113.50';
    const device = newDevice();
    const login = newLogin();
    const signedIn = granted(await stage.identity.signUp(credentials(login, device), from(address)));
    const me = `user:${signedIn.userId}`;
    const someone: Someone = { login, device, signedIn, principal: await stage.principalOf(signedIn, device) };
    await stage.identity.logIn(credentials(login, device, 'not-the-Password-9'), from(address));
    const { sessionId } = granted(await stage.identity.logIn(credentials(login, device), from(address)));
    await stage.identity.logIn(credentials(login, newDevice(device.id)), from(address));
    const { refreshToken } = signedIn;
    const next = granted(await stage.identity.refresh({ refreshToken, deviceId: device.id }, from(address)));
    await stage.identity.changePassword(someone.principal, { current: goodPassword, next: 'short' }, from(address));
    await stage.identity.endSession(someone.principal, sessionId, from(address));
    await stage.identity.refresh({ refreshToken, deviceId: device.id }, from(address));
    await stage.identity.refresh({ refreshToken: next.refreshToken, deviceId: device.id }, from(address));

    const entries = await entriesAbout(me);
    expect(entries.map(({ action, outcome }) => `${action}: ${outcome}`)).toEqual([
      'sign-up: accepted',
      'log-in: WrongCredentials',
      'log-in: accepted',
      'log-in: DeviceKeyMismatch',
      'refresh: accepted',
      'change-password: PasswordRefused',
      'end-session: accepted',
      'refresh: ReuseDetected',
      'refresh: RefreshRefused',
    ]);
    expect(new Set(entries.map(({ origin_hash }) => origin_hash)).size, 'one address').toBe(1);
    expect(entries.map(({ correlation_id }) => correlation_id)).toEqual(entries.map(() => 'test'));
    // Who failed is not known, whatever login they gave; who succeeded is.
    expect(entries.map(({ actor }) => actor)).toEqual([me, 'unknown', me, me, me, me, me, 'unknown', 'unknown']);
  });

  it('knows a login that was tried again, also where nobody has it', async () => {
    const login = newLogin();
    for (let count = 0; count < 7; count += 1) {
      await stage.identity.logIn(credentials(login, newDevice()), from('203.0.113.51'));
    }
    const rows = await stage.rows<Entry & { count: number }>(
      `SELECT login_hash, outcome, count(*)::integer AS count FROM identity.audit
       WHERE origin_hash = (SELECT origin_hash FROM identity.audit ORDER BY id DESC LIMIT 1) GROUP BY 1, 2 ORDER BY 2`,
    );
    expect(rows.map(({ outcome, count }) => ({ outcome, count }))).toEqual([
      { outcome: 'TooManyAttempts', count: 2 },
      { outcome: 'WrongCredentials', count: 5 },
    ]);
    expect(new Set(rows.map(({ login_hash }) => login_hash)).size).toBe(1);
    expect(present(rows[0]).login_hash).toMatch(/^k1:/);
  });

  it('is written in the transaction of what was decided: what is not written down did not happen', async () => {
    const { principal } = await stage.someone();
    await stage.rows('ALTER TABLE identity.audit ADD CONSTRAINT full_disk CHECK (false) NOT VALID');
    try {
      await expect(stage.identity.logOut(principal, from())).rejects.toThrow(/full_disk/);
    } finally {
      await stage.rows('ALTER TABLE identity.audit DROP CONSTRAINT full_disk');
    }
    expect(granted(await stage.identity.sessions(principal))).toHaveLength(1);
    expect(codeOf(await stage.identity.logOut(principal, from()))).toBe('granted');
  });

  it('can be added to and read by the module, and nothing else', async () => {
    await stage.someone();
    for (const statement of [
      "UPDATE identity.audit SET outcome = 'accepted'",
      'DELETE FROM identity.audit',
      'TRUNCATE identity.audit',
      'DROP TABLE identity.audit',
      'ALTER TABLE identity.audit DISABLE TRIGGER append_only',
      'ALTER TABLE identity.audit OWNER TO kora_identity',
      'DROP SCHEMA identity CASCADE',
      'GRANT DELETE ON identity.audit TO kora_identity',
    ]) {
      const before = await stage.rows('SELECT * FROM identity.audit ORDER BY id');
      const refusal = await stage.pool.query(statement).then(
        () => undefined,
        (error: unknown) => error,
      );
      // A grant that the role may not give is a warning in Postgres; what counts is that it then still may not.
      if (!statement.startsWith('GRANT')) expect(refusal, statement).toMatchObject({ code: '42501' });
      await expect(stage.pool.query('DELETE FROM identity.audit')).rejects.toMatchObject({ code: '42501' });
      expect(await stage.rows('SELECT * FROM identity.audit ORDER BY id')).toEqual(before);
    }
  });

  it('is append-only for its owner too, as long as nobody means to break it', async () => {
    for (const statement of [
      "UPDATE identity.audit SET outcome = 'x'",
      'DELETE FROM identity.audit',
      'TRUNCATE identity.audit',
    ]) {
      await expect(stage.rows(statement)).rejects.toThrow('identity.audit is append-only');
    }
  });
});
