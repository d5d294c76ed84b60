import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Interrupt } from '../../src/cli/interrupt.ts';
import { runKora } from '../../src/cli/program.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { serve } from './kora-process.ts';
import { RpcClient } from './rpc-client.ts';

/** Proves that people see a projection that stopped, and try it again, beside a kora that serves and without one. */
describe('kora projections', { timeout: 240_000 }, () => {
  const key = createServiceKey();
  let database: TestDatabase;
  let admin: pg.Client;
  let env: Record<string, string>;
  beforeAll(async () => {
    database = await createTestDatabase();
    admin = new pg.Client(database.poolConfig);
    await admin.connect();
    const serviceKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    env = { DATABASE_URL: database.connectionString, KORA_SERVICE_KEY: serviceKey };
  });
  afterAll(async () => {
    await admin.end();
    await database.drop();
  });

  async function kora(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const told = { stdout: '', stderr: '' };
    const shell = {
      env,
      stdout: { write: (text: string) => (told.stdout += text) },
      stderr: { write: (text: string) => (told.stderr += text) },
      interrupt: new Interrupt({ on: () => undefined }, () => undefined),
      exitCode: 0,
    };
    const code = await runKora(['projections', ...args], shell);
    return { code, ...told };
  }

  interface State {
    readonly projection: string;
    readonly status: string;
    readonly position: number;
    readonly eventsBehind: number;
    readonly error?: string;
    readonly errorPosition?: number;
  }
  async function states(): Promise<ReadonlyMap<string, State>> {
    const { stdout } = await kora('--json');
    const { projections } = JSON.parse(stdout) as { projections: State[] };
    return new Map(projections.map((state) => [state.projection, state]));
  }
  const poison = (): Promise<unknown> =>
    admin.query("alter table projections.accounts_v1 add constraint no_eve check (id <> 'eve')");
  const antidote = (): Promise<unknown> => admin.query('alter table projections.accounts_v1 drop constraint no_eve');
  const statusOf = async (name: string): Promise<string | undefined> => (await states()).get(name)?.status;
  const patience = { timeout: 60_000, interval: 250 };

  test('one that cannot take an event stops alone, is shown, and is tried again', async () => {
    const serving = await serve([], { env });
    const client = new RpcClient(
      serving.rpc,
      await issueServiceToken({ key, service: 'test', tenant: 'kora', ttlSeconds: 3_600 }),
    );
    await client.openAccount('ada');
    await poison();
    await client.openAccount('eve');
    await client.cashIn('after eve', 'ada', '100');

    await expect.poll(() => statusOf('accounts'), patience).toBe('stopped');
    // The others have all of it.
    await expect
      .poll(async () => [...(await states()).values()].filter(({ eventsBehind }) => eventsBehind > 0), patience)
      .toMatchObject([{ projection: 'accounts' }]);
    const stopped = (await states()).get('accounts');
    expect(stopped).toMatchObject({ errorPosition: (stopped?.position ?? 0) + 1 });
    expect(stopped?.error).toContain('no_eve');
    const forPeople = await kora();
    expect(forPeople.code).toBe(1);
    expect(forPeople.stdout).toMatch(/^accounts +\d+ +stopped /m);
    expect(forPeople.stdout).toMatch(/^accounts +stopped before position \d+: .*no_eve/m);
    expect(forPeople.stderr).toContain('kora projections retry accounts');

    // Too early: it stops there again, and the reason is there again.
    expect(await kora('retry', 'accounts')).toMatchObject({ code: 0 });
    await expect.poll(() => statusOf('accounts'), patience).toBe('stopped');
    expect((await states()).get('accounts')).toMatchObject({ position: stopped?.position });

    await antidote();
    const retried = await kora('retry', 'accounts', '--json');
    expect(JSON.parse(retried.stdout)).toEqual({
      projection: 'accounts',
      position: stopped?.position,
      errorPosition: stopped?.errorPosition,
    });
    await expect.poll(async () => (await states()).get('accounts')?.eventsBehind, patience).toBe(0);
    expect(await kora()).toMatchObject({ code: 0, stderr: '' });
    expect(await kora('retry', 'accounts')).toMatchObject({
      code: 1,
      stderr: 'kora: projection accounts has not stopped: there is nothing to try again\n',
    });

    serving.process.kill('SIGTERM');
    const { stderr } = await serving.ended;
    const lines = stderr.split('\n').filter((line) => line.includes('kora projections retry accounts'));
    // Once for each time that it stopped.
    expect(lines).toHaveLength(2);
  });

  test('without a kora that serves, the next one that does tries it again', async () => {
    await admin.query(
      `update projections.checkpoints set error = 'Error: no such thing', error_position = position + 1
       where projection = 'payments'`,
    );
    expect(await statusOf('payments')).toBe('stopped');
    expect(await kora('list', 'accounts')).toMatchObject({ code: 0 });
    expect(await kora('retry', 'payments')).toMatchObject({ code: 0, stderr: '' });
    expect(await statusOf('payments')).toBe('running');
  });
});
