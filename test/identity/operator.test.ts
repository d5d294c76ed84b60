import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kora, serve, type Serving } from '../cli/kora-process.ts';
import { createDataFolder, createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { goodPassword, keyringText, newDevice, type TestDevice } from './support.ts';

// What an operator does at the command line, beside processes that serve: the first admin, and new keys. With the
// product's own cost of hashing, and nothing of whom it is about on stdout or stderr.

const login = 'operator.friend@wallet.example';

describe('the operator', { timeout: 240_000 }, () => {
  let database: TestDatabase;
  let folder: Awaited<ReturnType<typeof createDataFolder>>;
  const oldKeys = keyringText('old');
  const said: string[] = [];

  beforeAll(async () => {
    [database, folder] = await Promise.all([createTestDatabase(), createDataFolder()]);
  });
  afterAll(async () => {
    await database.drop();
    await folder.remove();
    for (const text of said) {
      for (const word of ['operator.friend', 'wallet.example', goodPassword]) expect(text).not.toContain(word);
    }
  });

  const envWith = (keys: string): Record<string, string> => ({
    DATABASE_URL: database.connectionString,
    KORA_DATA_DIR: folder.dataDir,
    KORA_IDENTITY_KEYS: keys,
    KORA_LOG_LEVEL: 'debug',
  });

  async function run(
    args: readonly string[],
    keys: string,
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const ended = await kora(['identity', ...args], { env: { ...envWith(keys), KORA_LOG_LEVEL: 'warn' } });
    said.push(ended.stdout, ended.stderr);
    return ended;
  }

  async function call(
    { http }: Serving,
    path: string,
    asked: RequestInit = {},
  ): Promise<{ status: number; body: Tokens }> {
    const response = await fetch(`${http}/v1/identity/${path}`, asked);
    return { status: response.status, body: (await response.json()) as Tokens };
  }

  const enter = (
    serving: Serving,
    path: 'sign-up' | 'log-in',
    device: TestDevice,
  ): Promise<{ status: number; body: Tokens }> =>
    call(serving, path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login, password: goodPassword, device: { id: device.id, publicKey: device.publicKey } }),
    });

  const me = (
    serving: Serving,
    { accessToken }: Tokens,
    device: TestDevice,
  ): Promise<{ status: number; body: Tokens }> =>
    call(serving, 'me', { headers: { authorization: `Bearer ${accessToken}`, 'kora-device': device.id } });

  async function stop(...all: readonly Serving[]): Promise<void> {
    for (const { process } of all) process.kill('SIGTERM');
    for (const { ended } of all) {
      const { code, stdout, stderr } = await ended;
      expect(code).toBe(0);
      said.push(stdout, stderr);
    }
  }

  it('makes the first admin beside a process that serves, which knows it within seconds', async () => {
    const device = newDevice();
    const serving = await serve([], { env: envWith(oldKeys) });
    const signedUp = await enter(serving, 'sign-up', device);
    expect(signedUp).toMatchObject({ status: 201, body: { roles: ['customer'] } });
    const user = `user:${signedUp.body.userId}`;

    const granted = await run(['grant', login, 'admin', '--json'], oldKeys);
    expect({ ...granted, stdout: JSON.parse(granted.stdout) as unknown }).toEqual({
      code: 0,
      signal: null,
      stderr: '',
      stdout: { user, roles: ['customer', 'admin'] },
    });
    const started = Date.now();
    while ((await me(serving, signedUp.body, device)).status === 200) {
      expect(Date.now() - started).toBeLessThan(5_000);
      await sleep(50);
    }
    const again = await enter(serving, 'log-in', device);
    expect(again).toMatchObject({ status: 200, body: { roles: ['customer', 'admin'] } });
    expect(await me(serving, again.body, device)).toMatchObject({ status: 200 });

    expect(await run(['revoke', login, 'admin'], oldKeys)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('last admin') as string,
    });
    expect(await run(['grant', '+19995550000', 'support'], oldKeys)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no such user') as string,
    });
    expect(await run(['grant', login, 'support'], oldKeys)).toMatchObject({
      code: 0,
      stdout: `${user} is now customer, support, admin\n`,
    });
    await stop(serving);
  });

  it('rotates the keys of what is personal, one process after the other', async () => {
    const newKeys = keyringText('new');
    const first = await serve([], { env: envWith(`${oldKeys},${newKeys}`) });
    const second = await serve([], { env: envWith(`${newKeys},${oldKeys}`) });
    const device = newDevice();
    expect(await enter(first, 'log-in', device)).toMatchObject({ status: 200 });
    expect(await enter(second, 'log-in', device)).toMatchObject({ status: 200 });

    const resealed = await run(['reseal', '--json'], `${newKeys},${oldKeys}`);
    expect(resealed).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(resealed.stdout)).toMatchObject({ key: 'new', users: 1 });
    expect((JSON.parse(resealed.stdout) as { signingKeys: number }).signingKeys).toBeGreaterThan(0);
    // Both go on, and tokens of before are good.
    const held = await enter(first, 'log-in', device);
    expect(held).toMatchObject({ status: 200 });
    expect(await me(second, held.body, device)).toMatchObject({ status: 200 });
    await stop(first, second);

    const alone = await serve([], { env: envWith(newKeys) });
    expect(await enter(alone, 'log-in', device)).toMatchObject({ status: 200 });
    expect(await me(alone, held.body, device)).toMatchObject({ status: 200 });
    await stop(alone);
  });

  it('is told when the keys are not those of the database', async () => {
    for (const args of [['grant', login, 'support'], ['reseal']]) {
      const { code, stderr } = await run(args, keyringText('other'));
      expect(code).toBe(1);
      expect(stderr).toMatch(/the keyring of identity does not fit this database: it lacks key new/);
    }
    expect(await run(['reseal'], 'other:short')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a keyring is wanted') as string,
    });
  });
});

interface Tokens {
  readonly userId: string;
  readonly accessToken: string;
  readonly roles: readonly string[];
}
