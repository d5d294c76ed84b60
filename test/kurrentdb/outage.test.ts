import { Code, ConnectError } from '@connectrpc/connect';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PayUpTo, PaymentKind } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { WalletType } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import { kora, type Serving } from '../cli/kora-process.ts';
import type { RpcClients } from '../rpc/clients.ts';
import { expectedOf, seen } from '../stream/support/oracle.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { eventually, ProductOnStandIn } from './product-on-stand-in.ts';
import { StandIn } from './stand-in.ts';

/**
 * Proves that the product waits for a KurrentDB that is away, says so, and goes on: what it acknowledged is there once,
 * also with several processes on one KurrentDB, one of which is killed.
 */

let product: ProductOnStandIn;
beforeAll(async () => {
  product = await ProductOnStandIn.start();
});
afterAll(() => product.stop());

async function openWallet(serving: Serving, accountId: string): Promise<void> {
  await product.rpcOf(serving).accounts.openAccount({
    idempotencyKey: `open-${accountId}`,
    accountId,
    walletType: WalletType.CUSTOMER,
    currency: 'XOF',
  });
}

async function cashIn({ payments }: RpcClients, payee: string, idempotencyKey: string): Promise<string> {
  const { payment } = await payments.pay({
    idempotencyKey,
    kind: PaymentKind.CASH_IN,
    payee,
    provider: 'cash',
    amount: '1',
    currency: 'XOF',
    upTo: PayUpTo.SETTLED,
  });
  return payment?.paymentId ?? '';
}

/**
 * Pays with each key until it is acknowledged, some at a time.
 *
 * @param acknowledged gets the keys that were
 */
async function payAll(
  clients: readonly RpcClients[],
  payee: string,
  keys: readonly string[],
  acknowledged: string[] = [],
): Promise<void> {
  const left = [...keys];
  const payUntilAcknowledged = async (key: string, attempt: number): Promise<void> => {
    try {
      await cashIn(clients[attempt % clients.length] as RpcClients, payee, key);
      acknowledged.push(key);
    } catch {
      await sleep(200);
      await payUntilAcknowledged(key, attempt + 1);
    }
  };
  await Promise.all(
    Array.from({ length: 6 }, async (_, lane) => {
      for (let key = left.shift(); key !== undefined; key = left.shift()) await payUntilAcknowledged(key, lane);
    }),
  );
}

const keysOf = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, number) => `${prefix}-${number}`);

/** Payments of an account that the log has, by their ids: each once, or not. */
async function paymentsTo(payee: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { rows } of product.log.readAll(0)) {
    for (const { stream, events } of rows) {
      if (stream.startsWith('payment/') && events.some(({ data }) => (data as { payee?: string }).payee === payee))
        found.push(stream);
    }
  }
  return found;
}

async function readyOf({ http }: Serving): Promise<{ status: number; reason: string | undefined }> {
  const response = await fetch(`${http}/health/ready`);
  const { reason } = (await response.json()) as { reason?: string };
  return { status: response.status, reason };
}

async function caughtUp(): Promise<void> {
  await eventually(
    () => product.asked<{ projections: { eventsBehind: number }[] }>('projections'),
    ({ projections }) => projections.every(({ eventsBehind }) => eventsBehind === 0),
  );
}

describe('a KurrentDB that goes away', { timeout: 180_000 }, () => {
  test('payments wait or are refused with the reason, and are there once when it is back', async () => {
    const serving = await product.serve();
    await openWallet(serving, 'ada');
    const clients = product.rpcOf(serving);
    const watcher = await product.streamOf(serving);
    await watcher.live('payments', 0);
    const keys = keysOf('outage', 150);
    const acknowledged: string[] = [];
    const paying = payAll([clients], 'ada', keys, acknowledged);
    await watcher.until(() => watcher.units('payments').length >= 5);

    product.goAway();
    expect(
      await eventually(
        () => readyOf(serving),
        ({ status }) => status === 503,
      ),
    ).toEqual({
      status: 503,
      reason: 'the event log cannot be reached',
    });
    // For five seconds commands wait; later ones are refused before anything is begun.
    await sleep(5_500);
    const refusal = await cashIn(clients, 'ada', 'while away').then(String, (error: unknown) =>
      ConnectError.from(error),
    );
    expect(refusal).toMatchObject({ code: Code.ResourceExhausted });
    expect(String(refusal)).toContain('the event log cannot be reached: nothing was begun, send it again');
    const problem = product.http(serving, '/v1/payments', 'http while away', {
      kind: 'CASH_IN',
      payee: 'ada',
      provider: 'cash',
      amount: '1',
      currency: 'XOF',
    });
    await expect(problem).rejects.toMatchObject({ status: 503 });

    // A question that only the log answers has no answer, rather than a wrong one.
    await expect(product.http(serving, `/v1/payments/${'x'.repeat(27)}`)).rejects.toMatchObject({ status: 503 });
    // The others wait, and nobody was told anything of them.
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(acknowledged.length).toBeLessThan(150);

    await product.comeBack();
    await paying;
    expect(
      await eventually(
        () => readyOf(serving),
        ({ status }) => status === 200,
      ),
    ).toMatchObject({ status: 200 });
    // All that was refused or unanswered, and what was answered before, gets its first answer now.
    await payAll([clients], 'ada', [...keys, 'while away']);
    const payments = await paymentsTo('ada');
    expect(payments).toHaveLength(151);
    expect(new Set(payments).size).toBe(151);
    expect(await product.asked('balance', 'ada')).toMatchObject({ posted: '151' });

    const expected = await expectedOf(product.log, 'payments');
    await watcher.until(() => watcher.events('payments').length >= expected.length);
    expect(seen(watcher.events('payments'))).toEqual(expected);
    await watcher.close();
    await caughtUp();
    expect(await product.asked('verify')).toMatchObject({ ok: true, findings: [] });
    serving.process.kill('SIGTERM');
    const { code, stderr } = await serving.ended;
    expect(code).toBe(0);
    // Told once when it began and once when it was over, whatever every request met.
    const lines = stderr.split('\n').filter((line) => line.includes('trouble'));
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg.split(':')[0])).toEqual([
      'trouble',
      'the trouble is over',
    ]);
  });

  test('two processes take payments for one account, and one goes on when the other is killed', async () => {
    const [first, second] = [await product.serve(), await product.serve()];
    await openWallet(first, 'ben');
    const keys = keysOf('two', 60);
    const both = [product.rpcOf(first), product.rpcOf(second)];
    const paying = payAll(both, 'ben', keys);
    await eventually(
      () => paymentsTo('ben'),
      (payments) => payments.length > 10,
    );
    // It leads the projections and the mirror.
    process.kill(first.pid, 'SIGKILL');
    await paying;
    expect(new Set(await paymentsTo('ben')).size).toBe(60);
    expect(await paymentsTo('ben')).toHaveLength(60);
    expect(await product.asked('balance', 'ben')).toMatchObject({ posted: '60' });
    await caughtUp();
    const rebuilt = await product.asked<{ projections: { differing: number }[] }>('rebuild', 'all');
    expect(rebuilt.projections.length).toBeGreaterThan(3);
    expect(rebuilt.projections.filter(({ differing }) => differing !== 0)).toEqual([]);
    expect(await product.asked('verify')).toMatchObject({ ok: true, findings: [] });
    second.process.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 0 });
  });

  test('it is stopped in good order while KurrentDB is away', async () => {
    const serving = await product.serve();
    await openWallet(serving, 'eve');
    product.goAway();
    await eventually(
      () => readyOf(serving),
      ({ status }) => status === 503,
    );
    const stoppedAt = performance.now();
    serving.process.kill('SIGTERM');
    expect(await serving.ended).toMatchObject({ code: 0 });
    expect(performance.now() - stoppedAt).toBeLessThan(15_000);
    await product.comeBack();
  });
});

describe('a start that cannot be', { timeout: 60_000 }, () => {
  const started = (env: Readonly<Record<string, string>>): ReturnType<typeof kora> =>
    kora(['serve', '--http-port', '0', '--rpc-port', '0', '--stream-port', '0', '--metrics-port', '0'], {
      env: { ...product.env, ...env },
    });

  test('on a database whose log is in another KurrentDB, or in one that is not named', async () => {
    const serving = await product.serve();
    await openWallet(serving, 'zoe');
    await caughtUp();
    serving.process.kill('SIGTERM');
    await serving.ended;
    const unnamed = await started({ EVENTSTORE_URL: '' });
    expect(unnamed.code).toBe(2);
    expect(unnamed.stderr).toContain('EVENTSTORE_URL is not set, and the log of this database is in KurrentDB');
    const other = await StandIn.start();
    const wrong = await started({ EVENTSTORE_URL: other.url });
    other.stop();
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('A database goes with one log');
  });

  test('on a KurrentDB that is away, and no password is told', async () => {
    const database = await createTestDatabase();
    const { code, stderr } = await started({
      DATABASE_URL: database.connectionString,
      EVENTSTORE_URL: 'kurrentdb://admin:hunter2@127.0.0.1:1?tls=false',
      KORA_LOG_LEVEL: 'debug',
    });
    await database.drop();
    expect(code).toBe(1);
    expect(stderr).toContain('the KurrentDB of EVENTSTORE_URL cannot be reached');
    expect(stderr).not.toContain('hunter2');
  });

  test.each(['kurrentdb://admin:hunter2@db:2113?nodePreference=hunter3', 'mongodb://admin:hunter2@db'])(
    'with a URL that cannot be, and no password is told: %s',
    async (url) => {
      const { code, stderr } = await started({ EVENTSTORE_URL: url, KORA_LOG_LEVEL: 'debug' });
      expect(code).toBe(2);
      expect(stderr).toContain('EVENTSTORE_URL: ');
      expect(stderr).not.toContain('hunter');
    },
  );
});
