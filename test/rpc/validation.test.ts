import { Code } from '@connectrpc/connect';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KoraRequest } from '../../src/actors/requests.ts';
import { WalletType } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import {
  PayRequestSchema,
  PaymentKind,
  PayUpTo,
  ReversalReason,
} from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { clientsOf, type RpcClients } from './clients.ts';
import { openTestDoor, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';

type Pay = MessageInitShape<typeof PayRequestSchema>;
/** A number that the enum of this version does not have: a later client may send it. */
const unheardOf = (value: number): never => value as never;
const id = 'abcdefghijklmnopqrstuvwxyz0';

// What cannot be right never reaches the runtime, and the caller is told which field, and why.
describe('validation', () => {
  const reached: KoraRequest[] = [];
  let test: TestDoor;
  let clients: RpcClients;
  const pay: Pay = {
    idempotencyKey: 'k',
    kind: PaymentKind.P2P,
    amount: '1',
    currency: 'XOF',
    payer: 'ama',
    payee: 'kofi',
    upTo: PayUpTo.SETTLED,
  };

  beforeAll(async () => {
    const nothing = () => Promise.resolve(undefined);
    test = await openTestDoor({
      runtime: {
        execute: (request) => {
          reached.push(request);
          return Promise.resolve({ ok: false, refusal: { code: 'Contended', message: 'reached' }, duplicate: false });
        },
        payment: nothing,
        account: nothing,
        payout: nothing,
      },
    });
    clients = clientsOf(test.url, test.token);
  });
  afterAll(() => test.close());

  const wrong: [field: string, change: Pay, message: RegExp][] = [
    ['idempotencyKey', { idempotencyKey: '' }, /is empty/],
    ['idempotencyKey', { idempotencyKey: 'x'.repeat(256) }, /256 characters: 255 at most/],
    ['idempotencyKey', { idempotencyKey: 'a\0' }, /NUL/],
    ['kind', { kind: PaymentKind.UNSPECIFIED }, /is missing: one of P2P, CASH_IN/],
    ['kind', { kind: unheardOf(99) }, /is none: one of/],
    ['amount', { amount: '' }, /is empty/],
    ['amount', { amount: '12.50' }, /"12\.50" is not minor units as text/],
    ['amount', { amount: '-1' }, /digits only/],
    ['currency', { currency: 'xof' }, /"xof" is no currency/],
    ['payer', { payer: '' }, /is no id of a wallet/],
    ['payee', { payee: 'float:cash:XOF' }, /is no id of a wallet/],
    ['provider', { provider: '' }, /is empty/],
    ['original', { original: 'p1' }, /is no id of a payment/],
    ['upTo', { upTo: PayUpTo.UNSPECIFIED }, /is missing: one of INITIATED, AUTHORIZED, CAPTURED, SETTLED/],
    ['captureAmount', { captureAmount: '1.0' }, /minor units/],
    ['providerFee', { providerFee: 'none' }, /minor units/],
    ['effectiveAt', { effectiveAt: '2024-02-30T00:00:00Z' }, /is no instant of ISO 8601/],
  ];
  it.each(wrong)('names the field %s of a payment: %j', async (field, change, message) => {
    reached.length = 0;
    const refused = await refusedBy(clients.payments.pay({ ...pay, ...change }));
    expect(refused.error.code).toBe(Code.InvalidArgument);
    expect(refused.error.rawMessage).toMatch(message);
    expect(refused.refusal?.figures).toMatchObject({ case: 'invalid', value: { field } });
    const { results } = await clients.payments.batch({
      commands: [pay, { ...pay, ...change }, pay].map((value) => ({ command: { case: 'pay' as const, value } })),
    });
    expect(results.map(({ result }) => (result.case === 'refused' ? result.value.refusal?.message : ''))).toEqual([
      'reached',
      refused.error.rawMessage,
      'reached',
    ]);
    expect(reached, 'only the commands beside the wrong one').toHaveLength(2);
  });

  it('checks the fields of every command', async () => {
    const { accounts, payments } = clients;
    const base = { idempotencyKey: 'k' };
    const calls: Record<string, Promise<unknown>> = {
      'paymentId/authorize': payments.authorize({ ...base, paymentId: 'p' }),
      'amount/capture': payments.capture({ ...base, paymentId: id, amount: 'x' }),
      'providerFee/settle': payments.settle({ ...base, paymentId: id, providerFee: '1.5' }),
      'reason/fail': payments.fail({ ...base, paymentId: id, reason: '' }),
      'reason/reverse': payments.reverse({ ...base, paymentId: id, reason: ReversalReason.EXPIRED }),
      'original/refund': payments.refund({ ...base, original: '', amount: '1', currency: 'XOF' }),
      'upTo/refund': payments.refund({ ...base, original: id, amount: '1', currency: 'XOF', upTo: unheardOf(77) }),
      'payer/initiate': payments.initiate({ ...base, kind: PaymentKind.P2P, amount: '1', currency: 'XOF', payer: '?' }),
      'walletType/open': accounts.openAccount({ ...base, currency: 'XOF' }),
      'limit/open': accounts.openAccount({ ...base, walletType: WalletType.CUSTOMER, currency: 'XOF', limit: '-1' }),
      'accountId/open': accounts.openAccount({
        ...base,
        walletType: WalletType.CUSTOMER,
        currency: 'XOF',
        accountId: 'a/b',
      }),
      'accountId/freeze': accounts.freezeAccount({ ...base, reason: 'r' }),
      'reason/unfreeze': accounts.unfreezeAccount({ ...base, accountId: 'ama', reason: 'r'.repeat(201) }),
      'idempotencyKey/close': accounts.closeAccount({ accountId: 'ama', reason: 'r' }),
      'limit/limit': accounts.setLimit({ ...base, accountId: 'ama', limit: '', reason: 'r' }),
      'paymentId/get': payments.getPayment({}),
      'accountId/get': accounts.getAccount({}),
    };
    for (const [name, call] of Object.entries(calls)) {
      const { refusal } = await refusedBy(call);
      expect(refusal?.figures, name).toMatchObject({ case: 'invalid', value: { field: name.split('/')[0] } });
    }
  });

  it('refuses fields of a later version, in a call and in a batch', async () => {
    const later = create(PayRequestSchema, pay);
    later.$unknown = [{ no: 4711, wireType: WireType.Varint, data: Uint8Array.of(1) }];
    const refused = await refusedBy(clients.payments.pay(later));
    expect(refused.error.rawMessage).toMatch(/field 4711: is not known to this version/);
    const { results } = await clients.payments.batch({
      commands: [{ command: { case: 'pay', value: later } }, { command: { case: undefined } }],
    });
    expect(results.map(({ result }) => result.case)).toEqual(['refused', 'refused']);
  });

  const post = (body: string, method = 'kora.v1.PaymentService/Pay'): Promise<Response> =>
    fetch(`${test.url}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${test.token}` },
      body,
    });
  const json = {
    idempotencyKey: 'k',
    kind: 'PAYMENT_KIND_P2P',
    amount: '1',
    currency: 'XOF',
    upTo: 'PAY_UP_TO_SETTLED',
  };

  it.each([
    ['a misspelt field', JSON.stringify({ ...json, captureAmmount: '1' }), /captureAmmount/],
    ['a number for an amount', JSON.stringify({ ...json, amount: 1 }), /amount.*expected string, got 1/],
    ['a float for an amount', JSON.stringify({ ...json, amount: 1.5 }), /amount.*expected string, got 1\.5/],
    ['an unknown kind', JSON.stringify({ ...json, kind: 'GIFT' }), /PaymentKind.*GIFT/],
    ['half a surrogate pair', JSON.stringify(json).replace('"k"', '"\\ud800"'), /idempotency_key.*invalid UTF8/],
    ['a NUL', JSON.stringify(json).replace('"k"', '"\\u0000"'), /idempotencyKey: holds a NUL/],
    ['no JSON', '{', /JSON/],
    ['nothing', '', /JSON/],
    ['a list', '[]', /cannot decode message/],
  ])('says what is wrong with JSON: %s', async (_name, body, message) => {
    reached.length = 0;
    const response = await post(body);
    expect(response.status).toBe(400);
    const error = (await response.json()) as { code: string; message: string };
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toMatch(message);
    expect(reached).toEqual([]);
  });

  it('takes fields by both of their JSON names', async () => {
    reached.length = 0;
    await post(JSON.stringify({ ...json, capture_amount: '7', providerFee: '8' }));
    expect(reached).toEqual([expect.objectContaining({ captureAmount: 7n, providerFee: 8n })]);
  });
});
