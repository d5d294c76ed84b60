import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccountStatus, WalletType } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import { PaymentKind, PaymentStatus, PayUpTo, ReversalReason } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { clientsOf, protocols, type RpcClients } from './clients.ts';
import { openTestDoor, type TestDoor } from './door.ts';

// Every method, spoken to by the real clients of every protocol, on real sockets, with the real runtime behind.
describe.each(Object.keys(protocols))('%s', (protocol) => {
  let test: TestDoor;
  let accounts: RpcClients['accounts'];
  let payments: RpcClients['payments'];
  const reason = 'asked by test';

  beforeAll(async () => {
    test = await openTestDoor();
    ({ accounts, payments } = clientsOf(test.url, test.token, protocol));
    await accounts.openAccount({
      idempotencyKey: 'ama',
      accountId: 'ama',
      walletType: WalletType.CUSTOMER,
      currency: 'XOF',
    });
    await accounts.openAccount({
      idempotencyKey: 'kofi',
      accountId: 'kofi',
      walletType: WalletType.CUSTOMER,
      currency: 'XOF',
    });
    await accounts.openAccount({
      idempotencyKey: 'shop',
      accountId: 'shop',
      walletType: WalletType.MERCHANT,
      currency: 'XOF',
      feeBps: 100,
    });
    await cashIn('cash-in-1', '100000');
  });
  afterAll(() => test.close());

  const cashIn = (idempotencyKey: string, amount: string) =>
    payments.pay({
      idempotencyKey,
      kind: PaymentKind.CASH_IN,
      amount,
      currency: 'XOF',
      payee: 'ama',
      provider: 'cash',
      upTo: PayUpTo.SETTLED,
    });
  const initiate = async (idempotencyKey: string, amount = '1000'): Promise<string> => {
    const parties = { kind: PaymentKind.MERCHANT, currency: 'XOF', payer: 'ama', payee: 'shop' };
    const { payment } = await payments.initiate({ idempotencyKey, amount, ...parties });
    expect(payment).toMatchObject({ status: PaymentStatus.INITIATED, amount, authorized: '0' });
    return payment?.paymentId ?? '';
  };

  it('opens an account and gives it back', async () => {
    const opened = await accounts.openAccount({
      idempotencyKey: 'esi',
      walletType: WalletType.CUSTOMER,
      currency: 'GHS',
      limit: '500',
      owner: 'user:u1',
    });
    expect(opened).toMatchObject({
      duplicate: false,
      account: { status: AccountStatus.OPEN, available: '500', owner: 'user:u1' },
    });
    expect(opened.position).toBeGreaterThan(0n);
    const { account } = await accounts.getAccount({ accountId: opened.account?.accountId ?? '' });
    expect(account).toEqual(opened.account);
  });

  it('freezes, unfreezes, limits and closes an account', async () => {
    const accountId = 'short-lived';
    await accounts.openAccount({
      idempotencyKey: accountId,
      accountId,
      walletType: WalletType.TREASURY,
      currency: 'TND',
    });
    const frozen = await accounts.freezeAccount({ idempotencyKey: 'freeze', accountId, reason });
    expect(frozen.account?.status).toBe(AccountStatus.FROZEN);
    const unfrozen = await accounts.unfreezeAccount({ idempotencyKey: 'unfreeze', accountId, reason });
    expect(unfrozen.account?.status).toBe(AccountStatus.OPEN);
    const limited = await accounts.setLimit({ idempotencyKey: 'limit', accountId, limit: '7', reason });
    expect(limited.account).toMatchObject({ limit: '7', available: '7' });
    const closed = await accounts.closeAccount({ idempotencyKey: 'close', accountId, reason });
    expect(closed.account?.status).toBe(AccountStatus.CLOSED);
  });

  it('takes a payment from step to step: initiate, authorize, capture a part, settle, refund', async () => {
    const paymentId = await initiate('step');
    const authorized = await payments.authorize({ idempotencyKey: 'step/a', paymentId });
    expect(authorized.payment).toMatchObject({ status: PaymentStatus.AUTHORIZED, authorized: '1000' });
    expect(authorized.payment?.expiresAt).toMatch(/^\d{4}-.*Z$/);
    const captured = await payments.capture({ idempotencyKey: 'step/c', paymentId, amount: '900' });
    expect(captured.payment).toMatchObject({ status: PaymentStatus.CAPTURED, captured: '900' });
    const settled = await payments.settle({ idempotencyKey: 'step/s', paymentId });
    expect(settled.payment).toMatchObject({ status: PaymentStatus.SETTLED, fee: '9' });
    const refund = await payments.refund({
      idempotencyKey: 'step/r',
      original: paymentId,
      amount: '400',
      currency: 'XOF',
    });
    expect(refund.payment).toMatchObject({ kind: PaymentKind.REFUND, status: PaymentStatus.SETTLED, payee: 'ama' });
    const { payment } = await payments.getPayment({ paymentId });
    expect(payment).toMatchObject({ status: PaymentStatus.SETTLED, refunded: '400', captured: '900' });
  });

  it('fails and reverses', async () => {
    const failing = await initiate('fail');
    const fail = () => payments.fail({ idempotencyKey: 'fail/f', paymentId: failing, reason: 'changed my mind' });
    const failed = await fail();
    expect(failed).toMatchObject({
      duplicate: false,
      payment: {
        status: PaymentStatus.FAILED,
        failure: { figures: { case: 'paymentFailed', value: { reason: 'changed my mind' } } },
      },
    });
    expect(await fail()).toMatchObject({ duplicate: true, payment: failed.payment });
    expect(await payments.getPayment({ paymentId: failing })).toMatchObject({ payment: failed.payment });
    const reversing = await initiate('reverse');
    await payments.authorize({ idempotencyKey: 'reverse/a', paymentId: reversing });
    const reversed = await payments.reverse({ idempotencyKey: 'reverse/r', paymentId: reversing });
    expect(reversed.payment).toMatchObject({
      status: PaymentStatus.REVERSED,
      reversed: ReversalReason.REQUESTED,
    });
  });

  it('pays up to a state in one step, once per key', async () => {
    const pay = () =>
      payments.pay({
        idempotencyKey: 'p2p',
        kind: PaymentKind.P2P,
        amount: '250',
        currency: 'XOF',
        payer: 'ama',
        payee: 'kofi',
        upTo: PayUpTo.SETTLED,
        effectiveAt: '2024-02-29T13:00:00+01:00',
      });
    const first = await pay();
    expect(first).toMatchObject({ duplicate: false, payment: { status: PaymentStatus.SETTLED, captured: '250' } });
    const second = await pay();
    expect(second).toMatchObject({ duplicate: true, position: 0n, payment: first.payment });
    const unit = test.log.store.units.find(({ lastPosition }) => BigInt(lastPosition) === first.position);
    expect(unit?.meta).toMatchObject({
      effectiveAt: '2024-02-29T12:00:00.000Z',
      principal: 'service:shop',
      tenant: 'test',
    });
  });

  it('answers a batch command by command', async () => {
    const { results } = await payments.batch({
      commands: [
        {
          command: {
            case: 'openAccount',
            value: { idempotencyKey: 'b1', walletType: WalletType.CUSTOMER, currency: 'XOF' },
          },
        },
        { command: { case: 'freezeAccount', value: { idempotencyKey: 'b2', accountId: 'nobody', reason } } },
      ],
    });
    expect(results.map(({ result }) => result.case)).toEqual(['done', 'refused']);
  });
});
