import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { kora, serve, type Serving } from '../cli/kora-process.ts';
import { Provider, providerSecret } from '../connectors/support/provider.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

interface Payment {
  readonly paymentId: string;
  readonly status: string;
}

/**
 * Proves the whole way, over real sockets to a provider that is a process of its own and does all that it should not:
 * what it paid and collected is what Kora's books say, to the last franc, and nobody is paid twice; also when Kora is
 * killed in the middle.
 */
describe('payments through a provider', { timeout: 240_000 }, () => {
  let database: TestDatabase;
  let folder: string;
  let provider: Provider;
  let backup: Provider;
  let env: Record<string, string>;
  let token: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'kora-providers-'));
    provider = await Provider.start('--seed', '7', '--callback-url', 'http://127.0.0.1:1/nobody');
    backup = await Provider.start('--seed', '8');
    const key = createServiceKey();
    token = await issueServiceToken({ key, service: 'test', tenant: 'kora', ttlSeconds: 3_600 });
    env = {
      DATABASE_URL: database.connectionString,
      KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      KORA_CONNECTORS: join(folder, 'connectors.json'),
      KORA_METRICS_PORT: '0',
      PROVIDER_SECRET: providerSecret,
    };
    await configure(100);
  });
  afterAll(async () => {
    await provider.stop();
    await backup.stop();
    await rm(folder, { recursive: true, force: true });
    await database.drop();
  });

  /** @param priority of the backup connector */
  async function configure(priority: number): Promise<void> {
    const connector = (id: string, url: string, of: number) => ({
      id,
      type: 'rest',
      profile: 'momo',
      priority: of,
      capabilities: { honoursKeys: true, findsByKey: true },
      limits: {
        requestTimeoutMs: 1_000,
        sendWithinMs: 2_000,
        clockSkewMs: 200,
        notFoundFinalAfterMs: 1_500,
        amountMax: '5000',
      },
      breaker: { failuresMax: 3, openMs: 1_500, successesMin: 2 },
      settings: { baseUrl: url, hmacSecret: 'env:PROVIDER_SECRET', notTakenIsFinal: true },
    });
    const document = {
      profiles: [{ id: 'momo', bank_name: 'Momo', swift_bic: 'MOMOCIAB', supported_rails: ['momo'] }],
      connectors: [connector('momo-1', provider.url, 10), connector('momo-2', backup.url, priority)],
    };
    await writeFile(join(folder, 'connectors.json'), JSON.stringify(document));
  }

  async function call<Answer>(serving: Serving, method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(serving.http + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(method === 'POST' && { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Answer;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  async function untilAll(serving: Serving, ids: readonly string[], done: RegExp): Promise<Record<string, number>> {
    for (let tries = 0; ; tries++) {
      const statuses = await Promise.all(
        ids.map(async (id) => (await call<Payment>(serving, 'GET', `/v1/payments/${id}`)).status),
      );
      const counts: Record<string, number> = {};
      for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
      if (statuses.every((status) => done.test(status))) return counts;
      if (tries > 240) {
        const stuck = ids[statuses.findIndex((status) => !done.test(status))] ?? '';
        throw new Error(`after a minute: ${JSON.stringify(counts)}; ${await storyOf(serving, stuck)}`);
      }
      await sleep(250);
    }
  }

  async function storyOf(serving: Serving, paymentId: string): Promise<string> {
    const { items } = await call<{ items: { at: string; sentence: string }[] }>(
      serving,
      'GET',
      `/v1/payments/${paymentId}/timeline`,
    );
    const there = await provider.payments(paymentId);
    return [...items.map(({ at, sentence }) => `${at} ${sentence}`), JSON.stringify(there)].join('\n');
  }

  async function posted(serving: Serving, account: string): Promise<bigint> {
    const path = `/v1/accounts/${encodeURIComponent(account)}/balance`;
    const balance = await call<{ posted: string }>(serving, 'GET', path).catch(() => ({ posted: '0' }));
    return BigInt(balance.posted);
  }

  /** What both providers did is what the books say. */
  async function expectBooksAgree(serving: Serving): Promise<void> {
    let [collected, disbursed, fees, doubles] = [0n, 0n, 0n, 0];
    for (const one of [await provider.totals(), await backup.totals()]) {
      const moved = one.moved['XOF'];
      collected += BigInt(moved?.collected.amount ?? 0);
      disbursed += BigInt(moved?.disbursed.amount ?? 0);
      fees += BigInt(moved?.disbursed.fees ?? 0);
      doubles += one.doubles.length;
    }
    expect(doubles).toBe(0);
    expect({
      receivable: await posted(serving, 'receivable:momo:XOF'),
      payable: await posted(serving, 'payable:momo:XOF'),
      float: await posted(serving, 'float:momo:XOF'),
      cost: await posted(serving, 'cost:momo:XOF'),
      suspense: await posted(serving, 'suspense:XOF'),
    }).toEqual({ receivable: -collected, payable: 0n, float: disbursed + fees, cost: -fees, suspense: 0n });
  }

  it('agrees with the provider to the last franc, over errors, an outage, a fallback and a kill -9', async () => {
    const first = await serve([], { env });
    const wallets: string[] = [];
    for (let index = 0; index < 30; index++) {
      const account = await call<{ accountId: string }>(first, 'POST', '/v1/accounts', {
        type: 'customer',
        currency: 'XOF',
      });
      wallets.push(account.accountId);
    }
    const through = (serving: Serving, body: object): Promise<Payment> =>
      call(serving, 'POST', '/v1/payments', { currency: 'XOF', provider: 'momo', upTo: 'AUTHORIZED', ...body });

    // Money comes in, through a provider that loses one answer in five, and answers one in ten with garbage.
    await provider.behave({ latency: '5-60', errors: 0.1, acceptedTimeouts: 0.2, garbage: 0.1, confirmAfter: '0-300' });
    const ins = await Promise.all(wallets.map((payee) => through(first, { kind: 'CASH_IN', amount: '4000', payee })));
    const inIds = ins.map(({ paymentId }) => paymentId);
    expect(await untilAll(first, inIds, /CAPTURED|FAILED/)).toEqual({ CAPTURED: 30 });
    await expectBooksAgree(first);

    // The first provider is gone: its breaker opens, and what it was not sent goes to the second.
    await provider.outage('refuse');
    const outs = await Promise.all(wallets.map((payer) => through(first, { kind: 'CASH_OUT', amount: '1000', payer })));
    const outIds = outs.map(({ paymentId }) => paymentId);
    expect(await untilAll(first, outIds, /SETTLED|FAILED/)).toEqual({ SETTLED: 30 });
    await expectBooksAgree(first);
    await provider.outage('none');

    // In the middle of many more it is killed, with its answers on the way.
    await provider.behave({ latency: '100-900', acceptedTimeouts: 0.2, onItsWay: 0.2, confirmAfter: '0-500' });
    const more = await Promise.all(wallets.map((payer) => through(first, { kind: 'CASH_OUT', amount: '500', payer })));
    await sleep(300);
    process.kill(first.pid, 'SIGKILL');
    await first.ended;
    const second = await serve([], { env });
    const moreIds = more.map(({ paymentId }) => paymentId);
    expect(await untilAll(second, moreIds, /SETTLED|FAILED/)).toEqual({ SETTLED: 30 });
    await expectBooksAgree(second);
    second.process.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 0 });
    expect(await kora(['verify', '--json'], { env })).toMatchObject({ code: 0 });
    await expectStatistics();
  });

  /** The query of the specification, unchanged, as the module's role. */
  async function expectStatistics(): Promise<void> {
    const config = asRole({ connectionString: database.connectionString }, 'kora_providers');
    const client = new pg.Client(config);
    await client.connect();
    try {
      await client.query('set search_path = providers, projections');
      const { rows } = await client.query<Record<string, unknown>>(`
SELECT bcr.connector_type, bcr.circuit_breaker_state, bcr.failure_count,
  COUNT(bcl.id) FILTER (WHERE bcl.status = 'success') as successes_1h,
  COUNT(bcl.id) FILTER (WHERE bcl.status = 'failed') as failures_1h,
  AVG(bcl.duration_ms) as avg_latency_ms
FROM bank_connectors_registry bcr
LEFT JOIN bank_connector_logs bcl ON bcl.connector_id = bcr.id AND bcl.created_at > now() - interval '1 hour'
GROUP BY bcr.id, bcr.connector_type, bcr.circuit_breaker_state, bcr.failure_count;`);
      expect(rows).toHaveLength(2);
      for (const row of rows) {
        expect(row['connector_type']).toBe('rest');
        expect(row['circuit_breaker_state']).toMatch(/^(CLOSED|OPEN|HALF_OPEN)$/);
        expect(Number(row['successes_1h'])).toBeGreaterThan(0);
        expect(Number(row['avg_latency_ms'])).toBeGreaterThan(0);
      }
      const { rows: partitions } = await client.query<{ name: string }>(
        `select distinct tableoid::regclass::text as name from bank_connector_logs`,
      );
      expect(partitions.every(({ name }) => /bank_connector_logs_\d{8}$/.test(name))).toBe(true);
    } finally {
      await client.end();
    }
  }
});
