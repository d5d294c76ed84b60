import { Code, type ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authenticator } from '../../src/gateway/principal.ts';
import { AccountService } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import { PaymentKind, PaymentService, PayUpTo } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { PayoutService } from '../../src/gateway/rpc/gen/kora/v1/payout_pb.js';
import { type Scope, scopes } from '../../src/gateway/scopes.ts';
import { issueServiceToken } from '../../src/gateway/service-token.ts';
import { clientsOf, protocols } from './clients.ts';
import { openTestDoor, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';

// A token does what its scopes say and nothing else, method by method and kind by kind; one without scopes does everything;
// and nobody but a service comes in at this door.

/** Written down a second time on purpose: whoever changes what a method needs has to say so here too. */
const needed: Readonly<Record<string, readonly Scope[]>> = {
  'PaymentService/Pay': ['payments:write', 'ledger:correct'],
  'PaymentService/Initiate': ['payments:write', 'ledger:correct'],
  'PaymentService/Authorize': ['payments:write'],
  'PaymentService/Capture': ['payments:write'],
  'PaymentService/Settle': ['payments:settle'],
  'PaymentService/Fail': ['payments:write', 'payments:settle'],
  'PaymentService/Reverse': ['payments:write'],
  'PaymentService/Refund': ['payments:write'],
  'PaymentService/Resolve': ['payments:settle'],
  'PaymentService/ReturnPayout': ['payments:settle'],
  'PayoutService/CreatePayout': ['payouts:write'],
  'PayoutService/CancelPayout': ['payouts:write'],
  'PayoutService/GetPayout': ['payouts:read'],
  'PaymentService/GetPayment': ['payments:read'],
  'AccountService/OpenAccount': ['accounts:write'],
  'AccountService/FreezeAccount': ['accounts:write'],
  'AccountService/UnfreezeAccount': ['accounts:write'],
  'AccountService/CloseAccount': ['accounts:write'],
  'AccountService/SetLimit': ['accounts:write'],
  'AccountService/GetAccount': ['accounts:read'],
  // Nothing is in it.
  'PaymentService/Batch': scopes,
};
const methods = [PaymentService, PayoutService, AccountService].flatMap(({ name, methods }) =>
  methods.map((method) => `${name}/${method.name}`),
);

let test: TestDoor;
beforeAll(async () => {
  test = await openTestDoor();
});
afterAll(() => test.close());

const tokenWith = (...scopes: Scope[]) =>
  issueServiceToken({ key: test.key, service: 'shop', tenant: 'test', ttlSeconds: 600, scopes });
const asJson = async (method: string, token: string, body: object = {}) => {
  const response = await fetch(`${test.url}/kora.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  const { code = 'ok', message = '' } = (await response.json()) as { code?: string; message?: string };
  return { code, message };
};

describe('scopes', () => {
  it('are known of every method of the contract', () => {
    expect(Object.keys(needed).sort()).toEqual([...methods].sort());
  });

  it.each(scopes)('%s opens its methods and no other', async (scope) => {
    const token = await tokenWith(scope);
    // Without one Pay would be of a kind that needs another scope.
    const kind = scope === 'ledger:correct' ? PaymentKind.WRITE_OFF_GAIN : undefined;
    for (const method of methods) {
      const { code, message } = await asJson(method, token, /\/(?:Pay|Initiate)$/.test(method) ? { kind } : {});
      const enough = needed[method]?.includes(scope) === true;
      expect([method, code === 'permission_denied'], message).toEqual([method, !enough]);
    }
  });

  it('are not needed of a token that has none', async () => {
    for (const method of methods) expect((await asJson(method, test.token)).code, method).not.toBe('permission_denied');
  });

  it('say what is missing', async () => {
    expect(await asJson('PaymentService/Pay', await tokenWith('payments:read', 'stream:read'))).toEqual({
      code: 'permission_denied',
      message: 'the token has not the scope payments:write or ledger:correct, which this needs',
    });
    expect((await asJson('PaymentService/Fail', await tokenWith('stream:read'))).message).toContain(
      'payments:write or payments:settle',
    );
  });

  const pay = { amount: '1', currency: 'XOF', upTo: PayUpTo.SETTLED };
  const provided = { ...pay, payee: 'a', provider: 'cash' };
  it.each([
    ['P2P up to SETTLED', { ...pay, kind: PaymentKind.P2P, payer: 'a', payee: 'b' }, false],
    ['MERCHANT up to CAPTURED', { ...pay, kind: PaymentKind.MERCHANT, upTo: PayUpTo.CAPTURED }, false],
    ['MERCHANT up to SETTLED', { ...pay, kind: PaymentKind.MERCHANT }, false],
    ['CASH_OUT up to AUTHORIZED', { ...provided, kind: PaymentKind.CASH_OUT, upTo: PayUpTo.AUTHORIZED }, false],
    ['CASH_OUT up to SETTLED', { ...provided, kind: PaymentKind.CASH_OUT }, true],
    ['CASH_IN up to CAPTURED', { ...provided, kind: PaymentKind.CASH_IN, upTo: PayUpTo.CAPTURED }, false],
    ['CASH_IN up to SETTLED', { ...provided, kind: PaymentKind.CASH_IN }, true],
    ['FUNDING', { ...provided, kind: PaymentKind.FUNDING }, true],
  ])('Pay: %s, alone and in a batch', async (name, payment, settles) => {
    const writes = clientsOf(test.url, await tokenWith('payments:write')).payments;
    const both = clientsOf(test.url, await tokenWith('payments:write', 'payments:settle')).payments;
    const value = { ...payment, idempotencyKey: name };
    const command = { case: 'pay', value } as const;
    const alone = (await refusedBy(writes.pay(value))).error;
    expect(alone.code === Code.PermissionDenied).toBe(settles);
    expect((await refusedBy(both.pay(value))).error.code).not.toBe(Code.PermissionDenied);
    const verdict = await writes.batch({ commands: [{ command }] }).then(
      () => 'answered',
      (error: unknown) => (error as ConnectError).code,
    );
    expect(verdict).toBe(settles ? Code.PermissionDenied : 'answered');
    expect((await both.batch({ commands: [{ command }] })).results).toHaveLength(1);
  });

  it('of corrections make corrections, and nothing else', async () => {
    const correct = clientsOf(test.url, await tokenWith('ledger:correct')).payments;
    const write = clientsOf(test.url, await tokenWith('payments:write')).payments;
    const [gain, p2p] = [PaymentKind.WRITE_OFF_GAIN, PaymentKind.P2P];
    const body = { ...pay, idempotencyKey: 'gain' };
    expect((await correct.pay({ ...body, kind: gain })).payment?.kind).toBe(gain);
    for (const [client, kind, scope] of [
      [correct, p2p, 'payments:write'],
      [write, gain, 'ledger:correct'],
    ] as const) {
      const { error } = await refusedBy(client.pay({ ...body, kind }));
      expect(error.rawMessage).toBe(`the token has not the scope ${scope}, which this needs`);
    }
  });

  it('let a batch through whole or not at all', async () => {
    const token = await tokenWith('accounts:write');
    const { payments } = clientsOf(test.url, token);
    const open = (accountId: string) =>
      ({
        case: 'openAccount',
        value: { idempotencyKey: accountId, accountId, walletType: 1, currency: 'XOF' },
      }) as const;
    const mixed = [{ command: open('first') }, { command: { case: 'settle', value: { paymentId: 'x' } } as const }];
    const { error } = await refusedBy(payments.batch({ commands: mixed }));
    expect(error).toMatchObject({
      code: Code.PermissionDenied,
      rawMessage: 'the token has not the scope payments:settle, which this needs',
    });
    const none = await refusedBy(clientsOf(test.url, test.token).accounts.getAccount({ accountId: 'first' }));
    expect(none.error.code).toBe(Code.NotFound);
    const { results } = await payments.batch({ commands: [{ command: open('second') }, {}] });
    expect(results.map(({ result }) => result.case)).toEqual(['done', 'refused']);
  });
});

describe.each(Object.keys(protocols))('over %s', (protocol) => {
  it('a scope that is missing is permission_denied', async () => {
    const { payments } = clientsOf(test.url, await tokenWith('payments:read'), protocol);
    expect((await refusedBy(payments.pay({}))).error.code).toBe(Code.PermissionDenied);
  });
});

describe('the door', () => {
  const openWith = (verify: Authenticator['verify']) => openTestDoor({ authenticator: { verify } });

  it('refuses users, whatever their roles', async () => {
    for (const role of ['customer', 'merchant', 'support', 'reviewer', 'admin'] as const) {
      const user = { tenant: 'test', principal: 'user:u', roles: [role], scopes: [], expiresAtMs: Date.now() + 60_000 };
      const door = await openWith(() => Promise.resolve({ ok: true, principal: user }));
      const { error } = await refusedBy(clientsOf(door.url, 'token').payments.getPayment({ paymentId: 'p' }));
      expect(error).toMatchObject({
        code: Code.PermissionDenied,
        rawMessage: 'this door is for services: people use the http door',
      });
      await door.close();
    }
    const bound = { ok: false, reason: 'wrong-device', message: 'send the device' } as const;
    const door = await openWith(() => Promise.resolve(bound));
    const { error } = await refusedBy(clientsOf(door.url, 'token').payments.getPayment({ paymentId: 'p' }));
    expect(error).toMatchObject({
      code: Code.PermissionDenied,
      rawMessage: expect.stringContaining('http door') as string,
    });
    await door.close();
  });

  it('begins nothing while tokens cannot be verified', async () => {
    const door = await openWith(() => Promise.reject(new Error('the issuer does not answer')));
    const { error } = await refusedBy(clientsOf(door.url, 'token').payments.pay({}));
    expect(error).toMatchObject({
      code: Code.Unavailable,
      rawMessage: 'tokens cannot be verified now, nothing was begun: try again',
    });
    expect(door.faults).toMatchObject([{ details: { err: { message: 'the issuer does not answer' } } }]);
    await door.close();
  });
});
