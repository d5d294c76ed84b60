import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import { afterEach, describe, expect, it } from 'vitest';
import { type Outcome, UnitFailedError } from '../../src/actors/runtime.ts';
import type { Caller } from '../../src/actors/requests.ts';
import type { RpcDoorOptions } from '../../src/gateway/rpc/rpc-door.ts';
import { PaymentKind, PayUpTo } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { clientsOf, protocols } from './clients.ts';
import { openTestDoor, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';

const pay = { idempotencyKey: 'k', kind: PaymentKind.P2P, amount: '1', currency: 'XOF', upTo: PayUpTo.SETTLED };
const contended: Outcome = { ok: false, refusal: { code: 'Contended', message: 'reached' }, duplicate: false };
let test: TestDoor | undefined;
afterEach(async () => {
  await test?.close();
  test = undefined;
});

const open = async (
  execute: (caller: Caller) => Promise<Outcome>,
  options: Partial<RpcDoorOptions> = {},
): Promise<TestDoor> => {
  const nothing = () => Promise.resolve(undefined);
  const reads = { payment: nothing, account: nothing, payout: nothing };
  const runtime = { execute: (_: unknown, caller: Caller) => execute(caller), ...reads };
  test = await openTestDoor({ runtime, ...options });
  return test;
};

describe.each(Object.keys(protocols))('calls over %s', (protocol) => {
  it('are taken with a valid token only, whatever else is wrong with them', async () => {
    const callers: Caller[] = [];
    const { url, token, key } = await open((caller) => {
      callers.push(caller);
      return Promise.resolve(contended);
    });
    const verdict = async (with_: string | undefined) =>
      (await refusedBy(clientsOf(url, with_, protocol).payments.pay({ ...pay, amount: 'x' }))).error;
    const issue = { key, service: 'shop', tenant: 'acme', ttlSeconds: 60 };
    const expired = await issueServiceToken({ ...issue, now: () => new Date(Date.now() - 3_600_000) });
    const forged = await issueServiceToken({ ...issue, key: createServiceKey() });
    const unauthenticated = { code: Code.Unauthenticated };
    expect(await verdict(undefined)).toMatchObject({
      ...unauthenticated,
      rawMessage: expect.stringContaining('Bearer') as string,
    });
    expect(await verdict(expired)).toMatchObject({
      ...unauthenticated,
      rawMessage: expect.stringContaining('expired at') as string,
    });
    expect(await verdict(forged)).toMatchObject({
      ...unauthenticated,
      rawMessage: expect.stringContaining('not valid here') as string,
    });
    expect(await verdict(token)).toMatchObject({ code: Code.InvalidArgument });
    expect(callers).toEqual([]);
    await refusedBy(clientsOf(url, await issueServiceToken(issue), protocol).payments.pay(pay));
    expect(callers).toMatchObject([{ tenant: 'acme', principal: 'service:shop' }]);
  });

  it('give their correlation id back, also with an error, and make one where it is absent', async () => {
    const seen: string[] = [];
    const { url, token } = await open(({ correlationId }) => {
      seen.push(correlationId);
      return Promise.resolve(contended);
    });
    const { payments } = clientsOf(url, token, protocol);
    const idOf = async (headers: Record<string, string>) =>
      (await refusedBy(payments.pay(pay, { headers }))).error.metadata.get('kora-correlation-id');
    expect(await idOf({ 'kora-correlation-id': 'order-4711' })).toBe('order-4711');
    const made = await idOf({});
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen).toEqual(['order-4711', made]);
    const wrong = await refusedBy(payments.pay(pay, { headers: { 'kora-correlation-id': 'two words' } }));
    expect(wrong.refusal?.figures).toMatchObject({ case: 'invalid', value: { field: 'kora-correlation-id' } });
    let echoed: string | null | undefined;
    await payments.batch(
      {},
      { headers: { 'kora-correlation-id': 'b' }, onHeader: (h) => (echoed = h.get('kora-correlation-id')) },
    );
    expect(echoed).toBe('b');
  });

  it('end at their time-out, and say that the outcome is unknown', async () => {
    const { url, token } = await open(() => sleep(3_000, contended, { ref: false }), { limits: { callMsMax: 80 } });
    const { payments } = clientsOf(url, token, protocol);
    const own = await refusedBy(payments.pay(pay, { timeoutMs: 50 }));
    expect(own.error.code).toBe(Code.DeadlineExceeded);
    const ours = await refusedBy(payments.pay(pay));
    expect(ours.error).toMatchObject({
      code: Code.DeadlineExceeded,
      rawMessage: 'no answer in time: the outcome is unknown, ask again with the same idempotency key',
    });
    const batch = await refusedBy(payments.batch({ commands: [{ command: { case: 'pay', value: pay } }] }));
    expect(batch.error.code).toBe(Code.DeadlineExceeded);
  });

  it('tell of a fault only that the outcome is unknown; the log is told everything', async () => {
    let fault: Error = new UnitFailedError('password of the database');
    const { url, token, faults } = await open(() => Promise.reject(fault));
    const { payments } = clientsOf(url, token, protocol);
    const lost = await refusedBy(payments.pay(pay, { headers: { 'kora-correlation-id': 'c1' } }));
    expect(lost.error).toMatchObject({
      code: Code.Unavailable,
      rawMessage: 'the log could not take it: the outcome is unknown, ask again with the same idempotency key',
    });
    fault = new TypeError('password of the database');
    const broken = await refusedBy(payments.pay(pay));
    expect(broken.error).toMatchObject({
      code: Code.Internal,
      rawMessage: 'something broke here: the outcome is unknown, ask again with the same idempotency key',
    });
    expect(JSON.stringify([lost, broken])).not.toContain('password');
    expect(faults).toMatchObject([
      { details: { err: { message: 'password of the database' }, correlationId: 'c1', method: 'Pay' } },
      { details: { err: fault } },
    ]);
  });

  it('that are at work are answered when the door closes, and no new ones are taken', async () => {
    let finish: (outcome: Outcome) => void = () => undefined;
    const reached = Promise.withResolvers<undefined>();
    const opened = await open(() => {
      reached.resolve(undefined);
      return new Promise((resolve) => (finish = resolve));
    });
    const { payments } = clientsOf(opened.url, opened.token, protocol);
    const atWork = refusedBy(payments.pay(pay));
    await reached.promise;
    const closed = opened.door.close();
    const late = await refusedBy(payments.pay(pay));
    // Connect's client has its own word for a stream that the ending connection refused; gRPC calls it unavailable.
    expect(late.error.message).toMatch(/^\[unavailable\]|NGHTTP2_REFUSED_STREAM/);
    finish(contended);
    expect((await atWork).error).toMatchObject({ code: Code.Aborted, rawMessage: 'reached' });
    await closed;
    expect((await refusedBy(payments.pay(pay))).error.code).toBe(Code.Unavailable);
  });

  it('that take too long are cut off when the door closes', async () => {
    const reached = Promise.withResolvers<undefined>();
    const opened = await open(
      () => {
        reached.resolve(undefined);
        return sleep(60_000, contended, { ref: false });
      },
      { limits: { drainMs: 100 } },
    );
    const cut = refusedBy(clientsOf(opened.url, opened.token, protocol).payments.pay(pay));
    await reached.promise;
    const before = Date.now();
    await opened.door.close();
    expect(Date.now() - before).toBeLessThan(3_000);
    await cut;
  });
});
