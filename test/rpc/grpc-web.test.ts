import { Code, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  HealthCheckResponse_ServingStatus as Status,
  Health,
} from '../../src/gateway/rpc/gen/grpc/health/v1/health_pb.js';
import { AccountService, WalletType } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import { PaymentKind, PaymentService, PaymentStatus, PayUpTo } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { openTestDoor, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';

// The client that browsers and edge functions use, over `fetch`: a payment from end to end, its refusal with its figures,
// and a stream.

const transports = { 'gRPC-Web': createGrpcWebTransport, Connect: createConnectTransport };

describe.each(Object.entries(transports))('%s by connect-web', (name, createTransport) => {
  let test: TestDoor;
  beforeAll(async () => {
    test = await openTestDoor();
  });
  afterAll(() => test.close());

  const clients = (token = test.token) => {
    const transport = createTransport({
      baseUrl: test.url,
      useBinaryFormat: true,
      interceptors: [
        (next) => (request) => {
          request.header.set('authorization', `Bearer ${token}`);
          return next(request);
        },
      ],
    });
    return {
      accounts: createClient(AccountService, transport),
      payments: createClient(PaymentService, transport),
      health: createClient(Health, transport),
    };
  };

  it('pays, is refused with the figures, and asks', async () => {
    const { accounts, payments } = clients();
    for (const accountId of [`${name}-a`, `${name}-b`]) {
      const walletType = WalletType.CUSTOMER;
      await accounts.openAccount({ idempotencyKey: accountId, accountId, walletType, currency: 'XOF' });
    }
    const settled = { amount: '100', currency: 'XOF', upTo: PayUpTo.SETTLED };
    const cashIn = { ...settled, kind: PaymentKind.CASH_IN, payee: `${name}-a`, provider: 'cash' };
    await payments.pay({ ...cashIn, idempotencyKey: `${name}-in` });
    const p2p = { ...settled, kind: PaymentKind.P2P, payer: `${name}-a`, payee: `${name}-b` };
    const paid = await payments.pay({ ...p2p, idempotencyKey: `${name}-1` });
    expect(paid.payment).toMatchObject({ status: PaymentStatus.SETTLED, captured: '100' });
    expect(await payments.getPayment({ paymentId: paid.payment?.paymentId ?? '' })).toMatchObject({
      payment: { status: PaymentStatus.SETTLED },
    });
    const { error, refusal, payment } = await refusedBy(payments.pay({ ...p2p, idempotencyKey: `${name}-2` }));
    expect(error.code).toBe(Code.FailedPrecondition);
    expect(refusal?.figures).toMatchObject({
      case: 'insufficientFunds',
      value: { accountId: `${name}-a`, available: '0', asked: '100' },
    });
    expect(payment?.status).toBe(PaymentStatus.FAILED);
    expect((await refusedBy(clients('nobody').payments.pay(p2p))).error.code).toBe(Code.Unauthenticated);
  });

  it('reads a stream', async () => {
    const ended = new AbortController();
    for await (const { status } of clients().health.watch({}, { signal: ended.signal })) {
      expect(status).toBe(Status.SERVING);
      break;
    }
    ended.abort();
  });
});
