import { describe, expect, it } from 'vitest';
import { type Identity, KeyringError, readKeyring, reseal } from '../../src/identity/index.ts';
import {
  codeOf,
  credentials,
  from,
  goodPassword,
  granted,
  IdentityStage,
  keyringText,
  newDevice,
  verify,
} from './support.ts';

const stage = new IdentityStage();

const tables = [
  'users',
  'login_index',
  'devices',
  'sessions',
  'refresh_tokens',
  'revocations',
  'signing_keys',
  'attempts',
  'nonces',
  'audit',
  'keyring',
];

/** Every value of every table, as text, with what is binary also as it reads. */
async function everything(): Promise<string> {
  const found = await stage.rows<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'identity' ORDER BY 1",
  );
  expect(found.map(({ name }) => name)).toEqual([...tables].sort());
  const texts: string[] = [];
  for (const name of tables) {
    for (const row of await stage.rows(`SELECT * FROM identity.${name}`)) {
      for (const value of Object.values(row)) {
        texts.push(Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value));
      }
    }
  }
  return texts.join('\n');
}

// A stolen table gives nobody away: nothing personal can be read in it, and keys change while people go on logging in.
describe('at rest', () => {
  it('there is nothing personal, nothing secret, and no address', async () => {
    const login = 'marie.curie@sorbonne.example';
    const address = '203.0.113.77';
    const device = newDevice();
    const signedIn = granted(await stage.identity.signUp(credentials(login, device), from(address)));
    await stage.identity.logIn(credentials(login, device, 'wrong-Password-55'), from(address));
    granted(await stage.identity.signUp(credentials('+221770001122', newDevice()), from(address)));
    const stored = (await everything()).toLowerCase();
    expect(stored).toContain(signedIn.userId.toLowerCase());
    const secrets = [
      'marie',
      'curie',
      'sorbonne',
      '221770001122',
      '770001122',
      goodPassword,
      'wrong-Password-55',
      '$argon2id',
      address,
      signedIn.accessToken,
      signedIn.refreshToken,
    ];
    for (const secret of secrets) {
      expect(stored, secret).not.toContain(secret.toLowerCase());
      expect(stored, secret).not.toContain(Buffer.from(secret).toString('base64url').toLowerCase());
    }
  });

  it('a value that is put into another’s row does not open', async () => {
    const [one, other] = [await stage.someone(), await stage.someone()];
    await stage.rows(
      `UPDATE identity.users SET password_sealed = (SELECT password_sealed FROM identity.users WHERE id = $1) WHERE id = $2`,
      [one.signedIn.userId, other.signedIn.userId],
    );
    await expect(stage.identity.logIn(credentials(other.login, newDevice()), from())).rejects.toThrow(KeyringError);
    await stage.rows('DELETE FROM identity.login_index WHERE user_id = $1', [other.signedIn.userId]);
    await stage.rows(`UPDATE identity.users SET password_sealed = $2 WHERE id = $1`, [
      other.signedIn.userId,
      stage.keyring.seal('x', `users.password/${other.signedIn.userId}`),
    ]);
  });
});

describe('keys of what is personal', () => {
  it('rotate: both keyrings find everybody, then all is sealed anew, then the old key can go', async () => {
    const [oldText, newText] = [keyringText('old'), keyringText('new')];
    const rotation = new IdentityRotation(oldText);
    const before = await rotation.signUp(rotation.old);

    // First every process learns the new key, and still writes with the old one; then they write with the new one.
    const learned = await rotation.open(`${oldText},${newText}`);
    const rotated = await rotation.open(`${newText},${oldText}`);
    const during = await rotation.signUp(learned);
    const after = await rotation.signUp(rotated);
    for (const identity of [learned, rotated]) {
      for (const login of [before, during, after]) {
        expect(codeOf(await identity.signUp(credentials(login, newDevice()), from())), 'nobody twice').toBe(
          'LoginTaken',
        );
        granted(await identity.logIn(credentials(login, newDevice()), from()));
      }
    }
    await expect(rotation.open(newText), 'too early').rejects.toThrow(/lacks key old/);

    const ring = readKeyring(`${newText},${oldText}`);
    const vault = { pool: stage.pool, keyring: ring, tenant: rotation.tenant, now: stage.clock.now };
    const done = await reseal(vault);
    expect(done.users, 'all but the one that was sealed with the new key').toBe(2);
    expect(done.signingKeys).toBeGreaterThan(0);
    expect(await reseal(vault)).toEqual({ users: 0, signingKeys: 0 });

    const alone = await rotation.open(newText);
    for (const login of [before, during, after]) {
      const device = newDevice();
      const { accessToken } = granted(await alone.logIn(credentials(login, device), from()));
      expect(await verify(alone, accessToken, device.id)).toMatchObject({ ok: true });
      expect(codeOf(await alone.signUp(credentials(login, newDevice()), from()))).toBe('LoginTaken');
    }
    // Without the old key in the ring, its indexes go too.
    const last = { ...vault, keyring: readKeyring(newText) };
    await reseal(last);
    const left = await stage.rows('SELECT FROM identity.login_index WHERE key_id = $1', ['old']);
    expect(left).toEqual([]);
    await expect(rotation.open(oldText)).rejects.toThrow(KeyringError);
  });

  it('are found wrong when a process starts, not when somebody logs in', async () => {
    const [, id = ''] = /^(.*?):/.exec(keyringText('new')) ?? [];
    await expect(stage.open({ keyring: readKeyring(keyringText(id)) })).rejects.toThrow(
      /has another one under that id/,
    );
  });
});

/** Starts from a database whose every row is sealed with the old key. */
class IdentityRotation {
  readonly tenant = 'kora';
  readonly #old: string;
  #opened: Promise<void> | undefined;

  constructor(oldText: string) {
    this.#old = oldText;
  }

  get old(): Promise<Identity> {
    this.#opened ??= this.#empty();
    return this.#opened.then(() => this.open(this.#old));
  }

  open(text: string): Promise<Identity> {
    return stage.open({ keyring: readKeyring(text) });
  }

  async signUp(identity: Identity | Promise<Identity>): Promise<string> {
    const login = `user-${Math.random().toString(36).slice(2)}@rotation.example`;
    granted(await (await identity).signUp(credentials(login, newDevice()), from()));
    return login;
  }

  async #empty(): Promise<void> {
    await stage.identity.close();
    await stage.rows(
      `TRUNCATE identity.refresh_tokens, identity.sessions, identity.devices, identity.login_index, identity.users,
         identity.signing_keys, identity.keyring, identity.revocations CASCADE`,
    );
  }
}
