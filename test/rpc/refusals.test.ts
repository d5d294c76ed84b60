import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/actors/runtime.ts';
import type { Refusal, RefusalCode } from '../../src/kernel/refusal.ts';
import { WalletType } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import { PaymentKind, PaymentStatus, PayUpTo } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { RefusalCode as WireCode } from '../../src/gateway/rpc/gen/kora/v1/refusal_pb.js';
import { clientsOf, protocols, type RpcClients } from './clients.ts';
import { openTestDoor, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';

const message = 'in words';
/** Every refusal that there is, with what a client must be able to decode of it. */
const refusals: { readonly [C in RefusalCode]: [Refusal & { code: C }, WireCode, Code, object | undefined] } = {
  Invalid: [{ code: 'Invalid', message, field: 'payee' }, WireCode.INVALID, Code.InvalidArgument, { field: 'payee' }],
  NotFound: [
    { code: 'NotFound', message, what: 'account', id: 'ama' },
    WireCode.NOT_FOUND,
    Code.NotFound,
    { what: 'account', id: 'ama' },
  ],
  InsufficientFunds: [
    { code: 'InsufficientFunds', message, accountId: 'ama', available: '-7', asked: '9' },
    WireCode.INSUFFICIENT_FUNDS,
    Code.FailedPrecondition,
    { accountId: 'ama', available: '-7', asked: '9' },
  ],
  AccountFrozen: [
    { code: 'AccountFrozen', message, accountId: 'ama' },
    WireCode.ACCOUNT_FROZEN,
    Code.FailedPrecondition,
    { accountId: 'ama' },
  ],
  AccountClosed: [
    { code: 'AccountClosed', message, accountId: 'ama' },
    WireCode.ACCOUNT_CLOSED,
    Code.FailedPrecondition,
    { accountId: 'ama' },
  ],
  AccountExists: [
    { code: 'AccountExists', message, accountId: 'ama' },
    WireCode.ACCOUNT_EXISTS,
    Code.AlreadyExists,
    { accountId: 'ama' },
  ],
  AccountNotEmpty: [
    { code: 'AccountNotEmpty', message, accountId: 'ama', posted: '1', held: '2', openPayments: 3 },
    WireCode.ACCOUNT_NOT_EMPTY,
    Code.FailedPrecondition,
    { accountId: 'ama', posted: '1', held: '2', openPayments: 3 },
  ],
  IllegalTransition: [
    { code: 'IllegalTransition', message, state: 'SETTLED', command: 'Capture', allowed: ['Refund', 'Nothing'] },
    WireCode.ILLEGAL_TRANSITION,
    Code.FailedPrecondition,
    { state: 'SETTLED', command: 'Capture', allowed: ['Refund', 'Nothing'] },
  ],
  InstructionLive: [
    { code: 'InstructionLive', message, connector: 'momo-1' },
    WireCode.INSTRUCTION_LIVE,
    Code.FailedPrecondition,
    { connector: 'momo-1' },
  ],
  HoldExpired: [
    { code: 'HoldExpired', message, expiresAt: '2026-01-01T00:00:00.000Z' },
    WireCode.HOLD_EXPIRED,
    Code.FailedPrecondition,
    { expiresAt: '2026-01-01T00:00:00.000Z' },
  ],
  CaptureExceedsAuthorized: [
    { code: 'CaptureExceedsAuthorized', message, authorized: '1', asked: '2' },
    WireCode.CAPTURE_EXCEEDS_AUTHORIZED,
    Code.FailedPrecondition,
    { authorized: '1', asked: '2' },
  ],
  RefundExceedsCaptured: [
    { code: 'RefundExceedsCaptured', message, refundable: '1', asked: '2' },
    WireCode.REFUND_EXCEEDS_CAPTURED,
    Code.FailedPrecondition,
    { refundable: '1', asked: '2' },
  ],
  PaymentFailed: [
    { code: 'PaymentFailed', message, reason: 'because' },
    WireCode.PAYMENT_FAILED,
    Code.FailedPrecondition,
    { reason: 'because' },
  ],
  IdempotencyConflict: [
    { code: 'IdempotencyConflict', message, commandId: 'c' },
    WireCode.IDEMPOTENCY_CONFLICT,
    Code.AlreadyExists,
    { commandId: 'c' },
  ],
  Overloaded: [{ code: 'Overloaded', message }, WireCode.OVERLOADED, Code.ResourceExhausted, undefined],
  Contended: [{ code: 'Contended', message }, WireCode.CONTENDED, Code.Aborted, undefined],
};

// Whatever the runtime refuses, every client can decode: the code, the sentence and the figures.
describe.each(Object.keys(protocols))('refusals over %s', (protocol) => {
  let test: TestDoor;
  let payments: RpcClients['payments'];
  let refusal: Refusal = { code: 'Overloaded', message };
  const pay = { idempotencyKey: 'k', kind: PaymentKind.P2P, amount: '1', currency: 'XOF', upTo: PayUpTo.SETTLED };

  beforeAll(async () => {
    const outcome = (): Promise<Outcome> => Promise.resolve({ ok: false, refusal, duplicate: false });
    const nothing = () => Promise.resolve(undefined);
    test = await openTestDoor({ runtime: { execute: outcome, payment: nothing, account: nothing, payout: nothing } });
    ({ payments } = clientsOf(test.url, test.token, protocol));
  });
  afterAll(() => test.close());

  it.each(Object.values(refusals))('carries %o', async (given, code, status, figures) => {
    refusal = given;
    const refused = await refusedBy(payments.pay(pay));
    expect(refused.error).toMatchObject({ code: status, rawMessage: message });
    expect(refused.refusal).toMatchObject({ code, message });
    expect(refused.payment).toBeUndefined();
    const { results } = await payments.batch({ commands: [{ command: { case: 'pay', value: pay } }] });
    const inBatch = results[0]?.result;
    expect(inBatch).toMatchObject({ case: 'refused', value: { refusal: { code, message } } });
    if (figures === undefined) expect(refused.refusal?.figures.case).toBeUndefined();
    else expect(refused.refusal?.figures.value).toMatchObject(figures);
    if (inBatch?.case === 'refused') expect(inBatch.value.refusal).toEqual(refused.refusal);
  });
});

// With the real runtime: what is recorded comes with its payment, and again at every repetition.
describe('recorded refusals', () => {
  let test: TestDoor;
  let clients: RpcClients;
  const overdraft = {
    idempotencyKey: 'too much',
    kind: PaymentKind.P2P,
    amount: '100',
    currency: 'XOF',
    payer: 'ama',
    payee: 'kofi',
    upTo: PayUpTo.SETTLED,
  };

  beforeAll(async () => {
    test = await openTestDoor();
    clients = clientsOf(test.url, test.token);
    for (const accountId of ['ama', 'kofi']) {
      await clients.accounts.openAccount({
        idempotencyKey: accountId,
        accountId,
        walletType: WalletType.CUSTOMER,
        currency: 'XOF',
        limit: '40',
      });
    }
  });
  afterAll(() => test.close());

  it('carry the payment, the first time and every later time', async () => {
    const first = await refusedBy(clients.payments.pay(overdraft));
    expect(first.error.code).toBe(Code.FailedPrecondition);
    expect(first.refusal?.figures).toMatchObject({
      case: 'insufficientFunds',
      value: { accountId: 'ama', available: '40', asked: '100' },
    });
    expect(first.payment).toMatchObject({ status: PaymentStatus.FAILED, amount: '100' });
    expect(first.payment?.failure, 'said once').toBeUndefined();
    const again = await refusedBy(clients.payments.pay(overdraft));
    expect(again).toMatchObject({ refusal: first.refusal, payment: first.payment });
    const { payment } = await clients.payments.getPayment({ paymentId: first.payment?.paymentId ?? '' });
    expect(payment).toMatchObject({ status: PaymentStatus.FAILED, failure: first.refusal });
    const { results } = await clients.payments.batch({ commands: [{ command: { case: 'pay', value: overdraft } }] });
    expect(results[0]?.result).toMatchObject({
      case: 'refused',
      value: { refusal: first.refusal, payment: first.payment, duplicate: true },
    });
  });

  it('refuse the same key with another body', async () => {
    await clients.payments.pay({ ...overdraft, idempotencyKey: 'fits', amount: '10' });
    const refused = await refusedBy(clients.payments.pay({ ...overdraft, idempotencyKey: 'fits', amount: '11' }));
    expect(refused).toMatchObject({
      error: { code: Code.AlreadyExists },
      refusal: { code: WireCode.IDEMPOTENCY_CONFLICT },
      payment: undefined,
    });
  });

  it('say which payment or account there is not', async () => {
    const paymentId = 'abcdefghijklmnopqrstuvwxyz0';
    expect(await refusedBy(clients.payments.getPayment({ paymentId }))).toMatchObject({
      error: { code: Code.NotFound },
      refusal: { figures: { case: 'notFound', value: { what: 'payment', id: paymentId } } },
    });
    expect(await refusedBy(clients.accounts.getAccount({ accountId: 'nobody' }))).toMatchObject({
      error: { code: Code.NotFound },
      refusal: { figures: { case: 'notFound', value: { what: 'account', id: 'nobody' } } },
    });
    expect(await refusedBy(clients.accounts.getAccount({ accountId: 'float:cash:XOF' }))).toMatchObject({
      error: { code: Code.InvalidArgument },
    });
  });
});
