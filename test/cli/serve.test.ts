import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { createDataFolder, createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { kora, oldNode, serve, type Serving, spawnKora } from './kora-process.ts';
import { payUntilSilence, RpcClient } from './rpc-client.ts';

// `kora serve` as a process: it starts, is asked, is stopped by signals of every kind, and loses nothing that it acknowledged.

const key = createServiceKey();
const serviceKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

async function clientOf({ rpc }: Serving): Promise<RpcClient> {
  return new RpcClient(rpc, await issueServiceToken({ key, service: 'test', tenant: 'kora', ttlSeconds: 3_600 }));
}

describe('on a database of its own', { timeout: 240_000 }, () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  beforeAll(async () => {
    database = await createTestDatabase();
    env = { DATABASE_URL: database.connectionString, KORA_SERVICE_KEY: serviceKey };
  });
  afterAll(() => database.drop());

  async function expectDurable(paymentIds: readonly string[]): Promise<void> {
    const log = new PostgresLog({ config: database.poolConfig });
    const runtime = new Runtime({ log });
    const payments = await Promise.all(paymentIds.map((id) => runtime.payment(id)));
    await log.close();
    expect(payments.map((payment) => payment?.status)).toEqual(paymentIds.map(() => 'SETTLED'));
  }

  async function balanceOf(account: string): Promise<string> {
    const { stdout } = await kora(['balance', account, '--json'], { env });
    return (JSON.parse(stdout) as { posted: string }).posted;
  }

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s under load drains: what was acknowledged is in the log',
    async (signal) => {
      const serving = await serve([], { env });
      const client = await clientOf(serving);
      const account = `load-${signal}`;
      await client.openAccount(account);
      const paying = payUntilSilence(client, account, signal);
      await sleep(300);
      serving.process.kill(signal);
      const { acknowledged } = await paying;
      expect(await serving.ended).toMatchObject({ code: 0 });
      expect(acknowledged.length).toBeGreaterThan(0);
      await expectDurable(acknowledged);
      // In good order nothing is half done: what was not acknowledged was not begun.
      expect(await balanceOf(account)).toBe(String(acknowledged.length));
    },
  );

  test('kill -9 under load: the next one has everything that was acknowledged, and answers repetitions', async () => {
    const serving = await serve([], { env });
    const client = await clientOf(serving);
    await client.openAccount('killed');
    const paying = payUntilSilence(client, 'killed', 'kill');
    await sleep(300);
    process.kill(serving.pid, 'SIGKILL');
    const { acknowledged, asked } = await paying;
    await serving.ended;
    expect(acknowledged.length).toBeGreaterThan(0);
    await expectDurable(acknowledged);

    const again = await serve([], { env });
    const clientAgain = await clientOf(again);
    for (let number = 1; number <= asked; number++) await clientAgain.cashIn(`kill-${number}`, 'killed', '1');
    expect(await balanceOf('killed')).toBe(String(asked));
    again.process.kill('SIGINT');
    expect(await again.ended).toMatchObject({ code: 0 });
  });

  test('a signal that comes twice at once, as npm and the terminal send it, is one', async () => {
    const serving = await serve([], { env });
    serving.process.kill('SIGINT');
    serving.process.kill('SIGINT');
    expect(await serving.ended).toMatchObject({ code: 0 });
  });

  test('through the launcher signals reach it, and it ends when the launcher is killed', async () => {
    const serving = await serve([], { env, nodeFlags: oldNode });
    expect(serving.pid).not.toBe(serving.process.pid);
    serving.process.kill('SIGTERM');
    expect(await serving.ended).toMatchObject({ code: 0 });

    // kill -9 of the launcher is kill -9 of kora.
    const orphaned = await serve([], { env, nodeFlags: oldNode });
    orphaned.process.kill('SIGKILL');
    // Its output closes only when the child that serves, and has it too, has ended.
    expect(await orphaned.ended).toMatchObject({ signal: 'SIGKILL' });
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('%s of the npx that runs it stops it in good order', async (signal) => {
    const serving = await serve([], { env, npx: true });
    const client = await clientOf(serving);
    expect(serving.pid).not.toBe(serving.process.pid);
    const account = `npx-${signal}`;
    await client.openAccount(account);
    const paying = payUntilSilence(client, account, account);
    await sleep(300);
    serving.process.kill(signal);
    const { acknowledged } = await paying;
    // npx dies of it and passes nothing on; its output closes when kora has ended.
    expect(await serving.ended).toMatchObject({ signal });
    expect(await balanceOf(account)).toBe(String(acknowledged.length));
  });

  test.each(['rpc', 'metrics'] as const)('a port of %s that is taken is a failure that says which', async (door) => {
    const first = await serve([], { env });
    const { port } = new URL(first[door]);
    const ports = ['http', 'rpc', 'stream', 'metrics'].flatMap((one) => [`--${one}-port`, one === door ? port : '0']);
    const second = await kora(['serve', ...ports], { env });
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain(port);
    expect(second.stderr).toContain(`--${door}-port`);
  });

  test('tells people where it listens, and how it stops', async () => {
    const { process: child, ended } = await serveForPeople(env);
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^kora serves\n {2}http +http:\/\/127\.0\.0\.1:\d+\n {2}rpc +http:\/\/127\.0\.0\.1:\d+\n {2}stream +ws:\/\/127\.0\.0\.1:\d+\/stream\n {2}metrics http:\/\/127\.0\.0\.1:\d+\/metrics\n/,
    );
    const stages = [...stdout.matchAll(/^stopping: (.*)$/gm)].map(([, stage]) => stage);
    expect(stages.indexOf('the rpc door is closed')).toBeLessThan(stages.indexOf('requests at work are answered'));
    expect(stages.indexOf('requests at work are answered')).toBeLessThan(stages.indexOf('the log is closed'));
    expect(stages.at(-1)).toBe('the database is left');
    expect(stdout).toMatch(/\nstopped\n$/);
  });
});

describe('on a data folder of its own', { timeout: 240_000 }, () => {
  test('a second instance is refused, tools work beside it, and kill -9 is healed by the next start', async () => {
    const { dataDir, remove } = await createDataFolder();
    try {
      const env = { KORA_DATA_DIR: dataDir };
      const first = await serve([], { env });
      const { stdout: token } = await kora(['token', '--service', 'test'], { env });
      const client = new RpcClient(first.rpc, token.trim());
      await client.openAccount('ada');
      const paymentId = await client.cashIn('first', 'ada', '500');

      const second = await kora(
        ['serve', '--http-port', '0', '--rpc-port', '0', '--stream-port', '0', '--metrics-port', '0'],
        { env },
      );
      expect(second).toMatchObject({ code: 3, stdout: '' });
      expect(second.stderr).toContain(`another kora already serves the data folder ${dataDir}`);

      const beside = await kora(['balance', 'ada', '--json'], { env });
      expect(beside).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(beside.stdout)).toMatchObject({ account: 'ada', posted: '500' });
      const timeline = await kora(['timeline', 'first', '--principal', 'service:test', '--json'], { env });
      expect(JSON.parse(timeline.stdout)).toMatchObject({ payment: { paymentId, status: 'SETTLED' } });
      expect((await kora(['rebuild', 'all'], { env })).code).toBe(0);

      const payOverHttp = async (url: string): Promise<[number, unknown]> => {
        const response = await fetch(`${url}/v1/payments`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${token.trim()}`,
            'content-type': 'application/json',
            'idempotency-key': 'over http',
          },
          body: JSON.stringify({ kind: 'CASH_IN', payee: 'ada', provider: 'cash', amount: '7', currency: 'XOF' }),
        });
        return [response.status, await response.json()];
      };
      const acknowledged = await payOverHttp(first.http);
      expect(acknowledged[0]).toBe(201);
      // At once: the answer is given, and nowhere written down.
      process.kill(first.pid, 'SIGKILL');
      await first.ended;
      const third = await serve([], { env });
      expect(await payOverHttp(third.http)).toEqual(acknowledged);
      expect(await new RpcClient(third.rpc, token.trim()).cashIn('first', 'ada', '500')).toBe(paymentId);
      third.process.kill('SIGINT');
      expect(await third.ended).toMatchObject({ code: 0 });

      const alone = await kora(['balance', 'ada', '--json'], { env });
      expect(JSON.parse(alone.stdout)).toMatchObject({ account: 'ada', posted: '507' });
    } finally {
      await remove();
    }
  });
});

async function serveForPeople(env: Record<string, string>): Promise<Pick<Serving, 'process' | 'ended'>> {
  const spawned = spawnKora(
    ['serve', '--http-port', '0', '--rpc-port', '0', '--stream-port', '0', '--metrics-port', '0'],
    { env },
  );
  await new Promise<void>((resolve, reject) => {
    spawned.process.stdout.on('data', (text: string) => {
      if (text.includes('Ctrl-C stops it')) resolve();
    });
    void spawned.ended.then(({ stderr }) => reject(new Error(stderr)));
  });
  return spawned;
}
