import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { serve, type Serving } from '../cli/kora-process.ts';
import { RpcClient } from '../cli/rpc-client.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/**
 * Proves that what one process must do is done by another when that one is stopped, killed or ended, with real processes
 * on one database: a hold is released at its end (the scheduler) and the projections show it (their writer).
 */
describe('processes on one database', { timeout: 180_000 }, () => {
  const key = createServiceKey();
  const serviceKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const start = (): Promise<Serving> =>
    serve([], {
      env: { DATABASE_URL: database.connectionString, KORA_SERVICE_KEY: serviceKey, KORA_HOLD_MS: '300' },
    });

  async function clientOf({ rpc }: Serving): Promise<RpcClient> {
    return new RpcClient(rpc, await issueServiceToken({ key, service: 'test', tenant: 'kora', ttlSeconds: 3_600 }));
  }

  async function holders(): Promise<readonly string[]> {
    const { rows } = await pool.query<{ holder: string }>(
      'select holder from cluster.leases where expires_at > clock_timestamp() order by name',
    );
    return rows.map(({ holder }) => holder);
  }

  const soon = { timeout: 30_000, interval: 50 };

  /** Waits until one process, and not one of these, leads all there is to lead. */
  async function ledAnew(...not: string[]): Promise<string> {
    return vi.waitFor(async () => {
      const [one = '', ...others] = await holders();
      // Deadlines, projections, statements, webhooks.
      expect(others).toEqual([one, one, one]);
      expect(not).not.toContain(one);
      return one;
    }, soon);
  }

  let holds = 0;
  /** A hold ends by itself, and the projection knows it. */
  async function deadlinesAndProjectionsGoOn(client: RpcClient): Promise<void> {
    const held = await client.call('PaymentService/Pay', {
      idempotencyKey: `hold-${(holds += 1)}`,
      kind: 'PAYMENT_KIND_P2P',
      payer: 'ada',
      payee: 'ben',
      amount: '1',
      currency: 'XOF',
      upTo: 'PAY_UP_TO_AUTHORIZED',
    });
    const paymentId = (held?.['payment'] as { paymentId?: string } | undefined)?.paymentId;
    expect(paymentId).toBeDefined();
    await vi.waitFor(async () => {
      const { rows } = await pool.query('select status from projections.payments where id = $1', [paymentId]);
      expect(rows).toEqual([{ status: 'REVERSED' }]);
    }, soon);
  }

  test('a leader that is stopped, killed or ended is followed, and one that wakes up does no harm', async () => {
    const one = await start();
    const first = await ledAnew();
    const two = await start();
    const [clientOne, clientTwo] = [await clientOf(one), await clientOf(two)];
    await clientOne.openAccount('ada');
    await clientOne.openAccount('ben');
    await clientTwo.cashIn('funds', 'ada', '1000');
    await deadlinesAndProjectionsGoOn(clientTwo);
    expect(await ledAnew()).toBe(first);

    process.kill(one.pid, 'SIGSTOP');
    const second = await ledAnew(first);
    await deadlinesAndProjectionsGoOn(clientTwo);

    process.kill(one.pid, 'SIGCONT');
    await deadlinesAndProjectionsGoOn(clientOne);
    expect(await ledAnew()).toBe(second);

    process.kill(two.pid, 'SIGKILL');
    await two.ended;
    expect(await ledAnew(second)).toBe(first);
    await deadlinesAndProjectionsGoOn(clientOne);

    const three = await start();
    one.process.kill('SIGTERM');
    expect(await one.ended).toMatchObject({ code: 0 });
    await ledAnew(first, second);
    await deadlinesAndProjectionsGoOn(await clientOf(three));

    await vi.waitFor(async () => {
      const { rows } = await pool.query(`select posted, held from projections.accounts where id = 'ada'`);
      expect(rows).toEqual([{ posted: '1000', held: '0' }]);
    }, soon);
    three.process.kill('SIGTERM');
    expect(await three.ended).toMatchObject({ code: 0 });
    expect(await holders()).toEqual([]);
  });
});
