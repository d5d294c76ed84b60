import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PayUpTo, PaymentKind } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { WalletType } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import { kora, type Serving } from '../cli/kora-process.ts';
import { expectedOf, seen } from '../stream/support/oracle.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { eventually, ProductOnStandIn } from './product-on-stand-in.ts';

/**
 * Proves that the product runs on KurrentDB as far as the stand-in is one: doors, projections, views, tools and deadlines,
 * with `kora serve` as a process.
 */

let product: ProductOnStandIn;
beforeAll(async () => {
  product = await ProductOnStandIn.start();
});
afterAll(() => product.stop());

interface Items<Item> {
  readonly items: readonly Item[];
}

interface Verified {
  readonly ok: boolean;
  readonly units: number;
  readonly findings: readonly { readonly check: string; readonly position: number }[];
  readonly notOnThisStore: readonly string[];
}

async function openWallets(serving: Serving, type: WalletType, ...ids: string[]): Promise<void> {
  const { accounts } = product.rpcOf(serving);
  for (const accountId of ids) {
    await accounts.openAccount({
      idempotencyKey: `open-${accountId}`,
      accountId,
      walletType: type,
      currency: 'XOF',
    });
  }
}

describe('kora serve with EVENTSTORE_URL', { timeout: 120_000 }, () => {
  test('takes payments over rpc and http, tells watchers of each step, and shows them', async () => {
    const serving = await product.serve();
    await openWallets(serving, WalletType.CUSTOMER, 'ada', 'ben');
    await openWallets(serving, WalletType.MERCHANT, 'shop');
    const { payments } = product.rpcOf(serving);
    const watcher = await product.streamOf(serving);
    await watcher.live('payments', 0);
    const { state } = await watcher.snapshot('account/ada');
    expect(state).toMatchObject({ posted: '0' });

    await payments.pay({
      idempotencyKey: 'cash',
      kind: PaymentKind.CASH_IN,
      payee: 'ada',
      provider: 'cash',
      amount: '1000',
      currency: 'XOF',
      upTo: PayUpTo.SETTLED,
    });
    const body = { kind: 'P2P', amount: '30', currency: 'XOF', payer: 'ada', payee: 'ben' };
    const first = await product.http<{ paymentId: string }>(serving, '/v1/payments', 'p2p', body);
    expect(await product.http(serving, '/v1/payments', 'p2p', body)).toMatchObject({ paymentId: first.paymentId });
    const { payment } = await payments.pay({
      idempotencyKey: 'purchase',
      kind: PaymentKind.MERCHANT,
      payer: 'ada',
      payee: 'shop',
      amount: '200',
      currency: 'XOF',
      upTo: PayUpTo.AUTHORIZED,
    });
    const purchase = payment?.paymentId ?? '';
    await payments.capture({ idempotencyKey: 'capture', paymentId: purchase });
    await payments.settle({ idempotencyKey: 'settle', paymentId: purchase });
    await expect(
      payments.pay({
        idempotencyKey: 'too much',
        kind: PaymentKind.P2P,
        payer: 'ben',
        payee: 'ada',
        amount: '31',
        currency: 'XOF',
        upTo: PayUpTo.SETTLED,
      }),
    ).rejects.toThrow();

    for (const topic of ['payments', 'account/ada']) {
      const expected = await expectedOf(product.log, topic);
      // The account was there when it was subscribed to: its opening is in the snapshot.
      const told = topic === 'payments' ? expected : expected.slice(1);
      await watcher.until(() => watcher.events(topic).length >= told.length);
      expect(seen(watcher.events(topic))).toEqual(told);
    }
    expect(watcher.events('payments').map(({ type }) => type)).toEqual(
      expect.arrayContaining(['PaymentAuthorized', 'PaymentCaptured', 'PaymentSettled', 'PaymentFailed']),
    );
    await watcher.close();

    const timeline = await eventually(
      () => product.http<Items<{ state: string }>>(serving, `/v1/payments/${purchase}/timeline`),
      ({ items }) => items.length >= 4,
    );
    const states = ['INITIATED', 'AUTHORIZED', 'CAPTURED', 'SETTLED'];
    expect(timeline.items.map(({ state }) => state)).toEqual(states);
    const entries = await product.http<Items<{ amount: string; position: string }>>(
      serving,
      '/v1/accounts/ada/entries',
    );
    expect(entries.items.map(({ amount }) => amount).sort()).toEqual(['-200', '-30', '1000']);
    const list = await eventually(
      () => product.http<Items<unknown>>(serving, '/v1/payments?account=ben'),
      ({ items }) => items.length === 2,
    );
    expect(list.items).toMatchObject([{ status: 'FAILED' }, { status: 'SETTLED' }]);
    expect(await product.asked('balance', 'ada')).toMatchObject({ posted: '770', held: '0' });
    expect(await product.asked('balance', 'float:cash:XOF')).toMatchObject({ posted: '-1000' });
    expect(await product.asked('balance', 'ada', '--at', '2100-01-01')).toMatchObject({ posted: '770' });
    const shown = await product.asked<{ steps: { state: string; position: number }[]; entries: { account: string }[] }>(
      'timeline',
      'purchase',
      '--principal',
      'service:test',
    );
    expect(shown.steps.map((step) => step.state)).toEqual(states);
    // Of all three units of the payment, whose rows are not at neighbouring positions here.
    expect(new Set(shown.entries.map(({ account }) => account))).toEqual(new Set(['ada', 'shop', 'clearing:XOF']));
    // As it was recorded when the merchant had it authorized: the money is held, not gone.
    const position = String(shown.steps[1]?.position);
    expect(await product.asked('balance', 'ada', '--position', position)).toMatchObject({ posted: '970' });
    serving.process.kill('SIGTERM');
    expect(await serving.ended).toMatchObject({ code: 0 });
  });

  test('the next process goes on where it was, and releases a hold when its time has come', async () => {
    const serving = await product.serve({ KORA_HOLD_MS: '2000' });
    const body = { kind: 'P2P', amount: '30', currency: 'XOF', payer: 'ada', payee: 'ben' };
    const again = await product.http<{ paymentId: string }>(serving, '/v1/payments', 'p2p', body);
    expect(await product.http(serving, `/v1/payments/${again.paymentId}`)).toMatchObject({ status: 'SETTLED' });
    const { payments } = product.rpcOf(serving);
    const { payment } = await payments.pay({
      idempotencyKey: 'forgotten',
      kind: PaymentKind.P2P,
      payer: 'ada',
      payee: 'ben',
      amount: '5',
      currency: 'XOF',
      upTo: PayUpTo.AUTHORIZED,
    });
    const path = `/v1/payments/${payment?.paymentId ?? ''}`;
    expect(await product.http(serving, path)).toMatchObject({ status: 'AUTHORIZED' });
    await eventually(
      () => product.http<{ status: string }>(serving, path),
      ({ status }) => status === 'REVERSED',
    );
    expect(await product.asked('balance', 'ada')).toMatchObject({ posted: '770', held: '0' });
    expect(await product.asked('balance', 'ben')).toMatchObject({ posted: '30', held: '0' });

    const { projections } = await eventually(
      () =>
        product.asked<{ projections: { projection: string; status: string; eventsBehind: number }[] }>('projections'),
      (states) => states.projections.every(({ eventsBehind }) => eventsBehind === 0),
    );
    expect(projections.map(({ projection }) => projection)).toContain('log_mirror');
    serving.process.kill('SIGTERM');
    expect(await serving.ended).toMatchObject({ code: 0 });
  });

  test('a rebuild finds no difference', async () => {
    const rebuilt = await product.asked<{ projections: { events: number; differing: number }[] }>('rebuild', 'all');
    let events = 0;
    for await (const { rows } of product.log.readAll(0)) for (const row of rows) events += row.events.length;
    expect(rebuilt.projections.length).toBeGreaterThan(3);
    expect(rebuilt.projections.filter(({ differing }) => differing !== 0)).toEqual([]);
    expect(rebuilt.projections.filter((one) => one.events !== events)).toEqual([]);
  });

  test('verify holds all that can be held, and says what cannot', async () => {
    const verified = await product.asked<Verified>('verify');
    expect(verified).toMatchObject({ ok: true, findings: [] });
    expect(verified.units).toBeGreaterThanOrEqual(10);
    expect(verified.notOnThisStore.map((what) => what.split(':')[0])).toEqual([
      'hash chain',
      'dense positions',
      'recorded time',
    ]);
    const { stdout } = await kora(['verify'], { env: product.env });
    expect(stdout).toContain('everything that can be checked here holds');
    expect(stdout).toContain('not on this store  hash chain');
  });

  test('verify finds a mirror, and a projection, that is not what the log says', async () => {
    const pool = new pg.Pool(product.database.poolConfig);
    const checks = async (): Promise<string[]> => {
      const { code, stdout } = await kora(['verify', '--json'], { env: product.env });
      expect(code).toBe(1);
      return (JSON.parse(stdout) as Verified).findings.map(({ check }) => check);
    };
    const change = (from: string, to: string): Promise<unknown> =>
      pool.query(
        `update eventstore.log set events = replace(events::text, $1, $2)::json where stream = 'account/ben'`,
        [from, to],
      );
    try {
      await change('"amount":"30"', '"amount":"31"');
      expect(await checks()).toEqual(['mirror']);
      await change('"amount":"31"', '"amount":"30"');
      const { rows } = await pool.query<{ name: string }>(
        `select 'projections.accounts_v' || table_version as name from projections.checkpoints where projection = 'accounts'`,
      );
      const set = (posted: string): Promise<unknown> =>
        pool.query(`update ${rows[0]?.name ?? ''} set posted = $1 where id = 'ben'`, [posted]);
      await set('31');
      expect(await checks()).toEqual(['projections']);
      await set('30');
      expect(await product.asked('verify')).toMatchObject({ ok: true });
    } finally {
      await pool.end();
    }
  });

  test('a new database is filled from the log', async () => {
    const fresh = await createTestDatabase();
    const env = { DATABASE_URL: fresh.connectionString };
    const serving = await product.serve(env);
    const { items } = await eventually(
      () => product.http<Items<{ amount: string }>>(serving, '/v1/accounts/ada/entries').catch(() => ({ items: [] })),
      (page) => page.items.length === 3,
    );
    expect(items.map(({ amount }) => amount).sort()).toEqual(['-200', '-30', '1000']);
    const verified = await eventually(
      () => kora(['verify', '--json'], { env: { ...product.env, ...env } }),
      ({ stdout }) => {
        const { projections } = JSON.parse(stdout) as { projections: { eventsBehind: number }[] };
        return projections.every(({ eventsBehind }) => eventsBehind === 0);
      },
    );
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true });
    serving.process.kill('SIGTERM');
    await serving.ended;
    await fresh.drop();
  });

  test.each([
    [['checkpoint'], 'no hash chain to sign'],
    [['verify', '--against', 'checkpoint.json'], 'no hash chain to hold against'],
    [['backup', '--to', '/nowhere'], 'backed up by its own means'],
    [['restore', '--from', '/nowhere'], 'backed up by its own means'],
  ])('kora %s is refused, with the reason', async (args, reason) => {
    const { code, stdout, stderr } = await kora(args, { env: product.env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('not on this store: EVENTSTORE_URL keeps the log in KurrentDB');
    expect(stderr).toContain(reason);
  });
});
