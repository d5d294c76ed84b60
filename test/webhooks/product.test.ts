import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Kora, startKora } from '../../src/composition.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { Interrupt } from '../../src/cli/interrupt.ts';
import { runKora } from '../../src/cli/program.ts';
import { createDataFolder, createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { must, openWallets, p2p } from '../support/wallets.ts';
import { Receiver } from './support/receiver.ts';

/**
 * Proves that the product tells others: an endpoint that is added at the http door or on the command line is told of what is
 * paid, also of what is paid through another process; nobody reaches through it what only it can reach; and no secret is
 * ever logged.
 */
let database: TestDatabase;
let folder: Awaited<ReturnType<typeof createDataFolder>>;
const key = createServiceKey();
const lines: string[] = [];
const running: Kora[] = [];
const receivers: Receiver[] = [];

beforeAll(async () => {
  [database, folder] = await Promise.all([createTestDatabase(), createDataFolder()]);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
  await Promise.all(receivers.splice(0).map((one) => one.close()));
});
afterAll(async () => {
  await database.drop();
  await folder.remove();
  await rm(folder.dataDir, { recursive: true, force: true });
});

const env = (networks: string): Record<string, string> => ({
  DATABASE_URL: database.connectionString,
  KORA_DATA_DIR: folder.dataDir,
  KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  KORA_HTTP_PORT: '0',
  KORA_RPC_PORT: '0',
  KORA_STREAM_PORT: '0',
  KORA_METRICS_PORT: '0',
  ...(networks !== '' && { KORA_WEBHOOKS_NETWORKS: networks }),
});

async function start(networks = '127.0.0.0/8'): Promise<Kora> {
  const logger = createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) });
  const kora = await startKora(configFrom(env(networks)), { logger });
  running.push(kora);
  return kora;
}

/** The command line, without a process for each. */
async function cli(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  let stdout = '';
  const code = await runKora(args, {
    env: env('127.0.0.0/8'),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: () => true },
    interrupt: new Interrupt({ on: () => undefined }, () => undefined),
    exitCode: 0,
  });
  return { code, stdout };
}

async function receiver(): Promise<{ one: Receiver; url: string }> {
  const one = new Receiver();
  receivers.push(one);
  return { one, url: await one.listen() };
}

async function call(
  kora: Kora,
  method: string,
  path: string,
  body?: object,
  ...scopes: ('webhooks:manage' | 'payments:read')[]
) {
  const token = await issueServiceToken({
    key,
    service: 'shop',
    tenant: 'kora',
    ttlSeconds: 60,
    ...(scopes.length > 0 && { scopes }),
  });
  const response = await fetch(`http://127.0.0.1:${kora.httpPort ?? 0}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, string> };
}

describe('the product', () => {
  it('tells what is paid through any of its processes, and on the command line who is told what', async () => {
    const [kora, other] = [await start(), await start()];
    const { one, url } = await receiver();
    const added = await call(kora, 'POST', '/v1/webhooks', { url, types: ['payment.*'] });
    expect(added.status).toBe(201);
    const { one: second, url: secondUrl } = await receiver();
    const onCli = await cli(['webhooks', 'add', secondUrl, '--types', 'account.*', '--json']);
    expect(onCli).toMatchObject({ code: 0 });
    await openWallets(kora.runtime, { ada: 100n, ben: 0n });
    await must(other.runtime, p2p('ada', 'ben', 7n, 'seven'));
    await expect.poll(() => one.taken.length, { timeout: 20_000 }).toBe(8);
    await expect.poll(() => second.taken.length, { timeout: 20_000 }).toBe(2);
    // What was taken is written down a moment after it.
    await expect
      .poll(async () => (await call(kora, 'GET', '/v1/webhooks')).body, { timeout: 20_000 })
      .toMatchObject({ items: [{ id: added.body['id'], url, types: ['payment.*'], pending: 0, dead: 0 }] });
    const list = await cli(['webhooks', '--json']);
    expect(JSON.parse(list.stdout)).toMatchObject({ webhooks: [{ url }, { url: secondUrl, owner: 'operator' }] });

    const id = added.body['id'] ?? '';
    const replay = ['webhooks', 'replay', id, '--status', 'delivered', '--types', 'payment.settled', '--json'];
    expect(JSON.parse((await cli(replay)).stdout)).toEqual({ replayed: 2 });
    await expect.poll(() => one.taken.length, { timeout: 20_000 }).toBe(10);
    const delivered = async (): Promise<number> => {
      const { stdout } = await cli(['webhooks', 'deliveries', id]);
      return stdout.split('\n').filter((line) => line.includes('delivered')).length;
    };
    await expect.poll(delivered, { timeout: 20_000 }).toBe(8);
    const rotated = await cli(['webhooks', 'rotate', id]);
    expect(rotated.stdout).toMatch(/^whsec_[A-Za-z0-9_-]{43}\n$/);
    expect((await cli(['webhooks', 'remove', id])).code).toBe(0);
    expect(await cli(['webhooks', 'dead', id])).toMatchObject({ code: 1 });

    const resealed = await cli(['identity', 'reseal', '--json']);
    expect(JSON.parse(resealed.stdout)).toMatchObject({ webhooks: 0 });
    expect(lines.filter((line) => line.includes('whsec_'))).toEqual([]);
    expect(lines.filter((line) => line.includes('a lease cannot be held'))).toEqual([]);
  });

  it('tells a service what its scopes let it read, and nothing else', async () => {
    const kora = await start();
    const body = { url: 'https://shop.example/', types: ['payment.*'] };
    const add = (types: string[], ...scopes: ('webhooks:manage' | 'payments:read')[]) =>
      call(kora, 'POST', '/v1/webhooks', { ...body, types }, ...scopes);
    expect((await add(['payment.*'], 'webhooks:manage')).status).toBe(403);
    expect((await add(['payment.*'], 'payments:read')).status).toBe(403);
    expect((await add(['payment.*', 'account.opened'], 'webhooks:manage', 'payments:read')).status).toBe(403);
    expect((await add(['*'], 'webhooks:manage', 'payments:read')).status).toBe(403);
    expect((await add(['payment.*'], 'webhooks:manage', 'payments:read')).status).toBe(201);
  });

  it('calls nothing private, by address or by name', async () => {
    const { one, url } = await receiver();
    const allowed = await start();
    // Added while it was allowed, and called when it is not any more.
    const added = await call(allowed, 'POST', '/v1/webhooks', { url, types: ['*'] });
    await Promise.all(running.splice(0).map((kora) => kora.close()));
    const kora = await start('');
    expect((await call(kora, 'POST', '/v1/webhooks', { url, types: ['*'] })).body['code']).toBe('WebhookRefused');
    const named = await call(kora, 'POST', '/v1/webhooks', {
      url: url.replace('http://127.0.0.1', 'https://localhost'),
      types: ['*'],
    });
    expect(named.status).toBe(201);
    await openWallets(kora.runtime, { [`wallet-${Date.now().toString(36)}`]: 0n });
    for (const { body } of [added, named]) {
      await expect
        .poll(
          async () => JSON.stringify((await call(kora, 'GET', `/v1/webhooks/${body['id'] ?? ''}/deliveries`)).body),
          {
            timeout: 20_000,
          },
        )
        .toContain('its address may not be called');
    }
    expect(one.received).toEqual([]);
  });
});
