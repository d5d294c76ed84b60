import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { WalletType } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import { PaymentKind, PaymentStatus, PayUpTo, ResolvedOutcome } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import {
  type Payout,
  PayoutSchema,
  PayoutState,
  PayoutStatus,
  SliceStatus,
} from '../../src/gateway/rpc/gen/kora/v1/payout_pb.js';
import { told } from '../support/instructions.ts';
import { clientsOf, type RpcClients } from './clients.ts';
import { openTestDoor, rpcRuntime, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';

/** Proves that services pay out over rpc as over http: once for each key, alone and in batches, and told where the money is. */
describe('payouts over rpc', () => {
  let test: TestDoor;
  let runtime: Runtime;
  let clients: RpcClients;
  const payout = { currency: 'XOF', payer: 'till', provider: 'bank:AB', beneficiary: 'ben-1', amount: '250' };
  const ids = (made: Payout | undefined): string[] => made?.slices.map(({ paymentId }) => paymentId) ?? [];

  beforeAll(async () => {
    const log = new MemoryLog();
    runtime = new Runtime({ log, terms: { railLimits: () => ({ min: 1n, max: 100n }) } });
    test = await openTestDoor({ runtime: rpcRuntime(runtime) }, log);
    clients = clientsOf(test.url, test.token);
    for (const accountId of ['till', 'empty']) {
      const of = { idempotencyKey: accountId, accountId, walletType: WalletType.TREASURY, currency: 'XOF' };
      await clients.accounts.openAccount(of);
    }
    await clients.payments.pay({
      ...{ idempotencyKey: 'funds', kind: PaymentKind.FUNDING, amount: '10000', currency: 'XOF', payee: 'till' },
      ...{ provider: 'bank:AB', upTo: PayUpTo.SETTLED },
    });
  });
  afterAll(() => test.close());

  it('are made, looked at, resolved, returned and cancelled', async () => {
    const made = await clients.payouts.createPayout({ ...payout, idempotencyKey: 'one', rail: 'instant' });
    expect(made).toMatchObject({
      duplicate: false,
      payout: { state: PayoutState.OPEN, amount: '250', rail: 'instant' },
    });
    expect([made.payout?.status, made.payout?.money]).toEqual([PayoutStatus.UNSPECIFIED, undefined]);
    expect(made.payout?.slices.map(({ amount, status }) => [amount, status])).toEqual([
      ['100', SliceStatus.UNSPECIFIED],
      ['100', SliceStatus.UNSPECIFIED],
      ['50', SliceStatus.UNSPECIFIED],
    ]);
    const [first = '', second = ''] = ids(made.payout);
    await told(runtime, first, 'unknown');
    await told(runtime, second, { said: 'accepted', providerRef: 'ref-2' });
    const resolved = await clients.payments.resolve({
      ...{
        idempotencyKey: 'r',
        paymentId: first,
        outcome: ResolvedOutcome.SETTLED,
        providerRef: 'ref-1',
        providerFee: '3',
      },
    });
    expect(resolved.payment).toMatchObject({
      ...{ kind: PaymentKind.PAYOUT, status: PaymentStatus.SETTLED, providerFee: '3' },
      ...{ payout: made.payout?.payoutId, beneficiary: 'ben-1', rail: 'instant' },
    });
    const returned = await clients.payments.returnPayout({
      ...{ idempotencyKey: 'b', original: first, amount: '40', currency: 'XOF' },
    });
    expect(returned.payment).toMatchObject({
      kind: PaymentKind.PAYOUT_RETURN,
      status: PaymentStatus.SETTLED,
      payee: 'till',
    });
    const payoutId = made.payout?.payoutId ?? '';
    const cancelled = await clients.payouts.cancelPayout({ idempotencyKey: 'c', payoutId, reason: 'not wanted' });
    expect(cancelled.payout).toMatchObject({ state: PayoutState.CANCELLED, cancelled: 'not wanted' });
    const { payout: now } = await clients.payouts.getPayout({ payoutId });
    expect(now).toMatchObject({
      status: PayoutStatus.PROCESSING,
      money: { pending: '0', sent: '100', inDoubt: '0', settled: '100', failed: '50', returned: '40' },
      slices: [
        {
          status: SliceStatus.SETTLED,
          attempts: 1,
          connector: 'bank-1',
          providerRef: 'ref-1',
          providerFee: '3',
          returned: '40',
        },
        { status: SliceStatus.SENT, attempts: 1, providerRef: 'ref-2' },
        { status: SliceStatus.FAILED, attempts: 0, failure: { message: expect.any(String) as string } },
      ],
    });
  });

  it('are made once for each key, and refused once', async () => {
    const make = (amount: string, of: object = {}) =>
      clients.payouts.createPayout({ ...payout, idempotencyKey: 'twice', amount, ...of });
    const first = await make('120');
    expect(await make('120')).toMatchObject({ duplicate: true, position: 0n, payout: first.payout });
    expect((await refusedBy(make('121'))).error.code).toBe(Code.AlreadyExists);

    const poor = () => make('120', { idempotencyKey: 'poor', payer: 'empty' });
    const refusals = [await refusedBy(poor()), await refusedBy(poor())];
    for (const { error } of refusals) {
      expect(error.code).toBe(Code.FailedPrecondition);
      const [recorded] = error.findDetails(PayoutSchema);
      expect(recorded).toMatchObject({ state: PayoutState.FAILED, payer: 'empty' });
      const { payout: found } = await clients.payouts.getPayout({ payoutId: recorded?.payoutId ?? '' });
      expect(found).toMatchObject({ status: PayoutStatus.FAILED, slices: [], money: { failed: '120' } });
    }
  });

  it('go in batches, each answered in its place', async () => {
    const create = (idempotencyKey: string, of: object = {}) =>
      ({ command: { case: 'createPayout', value: { ...payout, idempotencyKey, ...of } } }) as const;
    const { results } = await clients.payments.batch({
      commands: [create('b1'), create('b2', { payer: 'empty' }), create('b3', { beneficiary: 'Ben Smith' })],
    });
    expect(results.map(({ result }) => result)).toMatchObject([
      { case: 'done', value: { subject: { case: 'payout', value: { amount: '250', slices: [{}, {}, {}] } } } },
      {
        case: 'refused',
        value: { payout: { state: PayoutState.FAILED }, refusal: { message: expect.any(String) as string } },
      },
      { case: 'refused', value: { refusal: { figures: { value: { field: 'beneficiary' } } } } },
    ]);
  });

  it.each([
    ['outcome', { outcome: ResolvedOutcome.UNSPECIFIED }],
    ['providerRef', { outcome: ResolvedOutcome.CONFIRMED }],
    ['reason', { outcome: ResolvedOutcome.REFUSED, providerRef: 'ref' }],
  ])('are not resolved without %s', async (field, of) => {
    const { error, refusal } = await refusedBy(
      clients.payments.resolve({ idempotencyKey: field, paymentId: 'x'.repeat(27), reason: undefined, ...of }),
    );
    expect([error.code, refusal?.figures]).toMatchObject([Code.InvalidArgument, { value: { field } }]);
  });
});
