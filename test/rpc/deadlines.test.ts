import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { Runtime } from '../../src/actors/runtime.ts';
import { boundTimeout } from '../../src/gateway/rpc/bound-timeout.ts';
import { PaymentKind, PaymentStatus, PayUpTo } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { HeldLog } from '../support/held-log.ts';
import { openWallets } from '../support/wallets.ts';
import { clientsOf, protocols } from './clients.ts';
import { openTestDoor, rpcRuntime, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';

// A caller is answered within its time. What became of a command whose caller could not wait is in the log: the same key
// asks again, and gets the one answer that there is.

let test: TestDoor | undefined;
afterEach(async () => {
  await test?.close();
  test = undefined;
});

const pay = { kind: PaymentKind.P2P, amount: '10', currency: 'XOF', upTo: PayUpTo.SETTLED, payer: 'a', payee: 'b' };

describe.each(Object.keys(protocols))('over %s', (protocol) => {
  const open = async () => {
    const log = new HeldLog();
    const runtime = new Runtime({ log });
    await openWallets(runtime, { a: 100n, b: 0n });
    test = await openTestDoor({ runtime: rpcRuntime(runtime) }, log);
    return { log, runtime, ...clientsOf(test.url, test.token, protocol) };
  };

  it('a call whose time is over is told so, and the same key finds what became of it', async () => {
    const { log, payments, runtime } = await open();
    const key = { ...pay, idempotencyKey: 'slow' };
    log.hold();
    const before = Date.now();
    const late = await refusedBy(payments.pay(key, { timeoutMs: 150 }));
    expect(late.error.code).toBe(Code.DeadlineExceeded);
    expect(Date.now() - before).toBeLessThan(5_000);
    log.release();
    const again = await payments.pay(key);
    expect(again).toMatchObject({ duplicate: true, payment: { status: PaymentStatus.SETTLED, captured: '10' } });
    expect(await runtime.account('a')).toMatchObject({ posted: '90' });
  });

  it('a batch whose time is over is asked again as a whole', async () => {
    const { log, payments, runtime } = await open();
    const commands = ['x', 'y', 'z'].map((idempotencyKey) => ({
      command: { case: 'pay' as const, value: { ...pay, idempotencyKey } },
    }));
    log.hold();
    expect((await refusedBy(payments.batch({ commands }, { timeoutMs: 150 }))).error.code).toBe(Code.DeadlineExceeded);
    log.release();
    const { results } = await payments.batch({ commands });
    expect(results.map(({ result }) => result.case === 'done' && result.value.duplicate)).toEqual([true, true, true]);
    expect(await runtime.account('a')).toMatchObject({ posted: '70' });
  });
});

describe('on the wire', () => {
  const post = (type: string, headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer>) =>
    fetch(`${test?.url ?? ''}/kora.v1.PaymentService/Batch`, {
      method: 'POST',
      headers: { 'content-type': type, authorization: `Bearer ${test?.token ?? ''}`, ...headers },
      body,
    });
  const asConnect = async (timeout: string, body = '{}') => {
    const response = await post('application/json', { 'connect-timeout-ms': timeout }, body);
    return { status: response.status, ...((await response.json()) as { code?: string; message?: string }) };
  };
  /** The status comes in a frame of its own, which says so in its first byte, after the frame of the message. */
  const asGrpcWeb = async (timeout: string) => {
    const empty = new Uint8Array(5);
    const response = await post('application/grpc-web+proto', { 'grpc-timeout': timeout }, empty);
    const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
    return Number(/grpc-status: (\d+)/.exec(text)?.[1] ?? response.headers.get('grpc-status'));
  };

  it('a time that no timer can hold is not "at once"', async () => {
    test = await openTestDoor();
    expect(await asConnect('9999999999')).toEqual({ status: 200 });
    for (const timeout of ['99999999H', '99999999M', '99999999S', '99999999m', '2147484S']) {
      expect(await asGrpcWeb(timeout), timeout).toBe(0);
    }
  });

  it('what is no time is refused, and a time of nothing is over', async () => {
    test = await openTestDoor();
    for (const timeout of ['-1', '1.5', 'soon', '99999999999', '0x10']) {
      expect(await asConnect(timeout), timeout).toMatchObject({ status: 400, code: 'invalid_argument' });
    }
    for (const timeout of ['1', '1h', '-1S', '999999999S', '']) {
      expect(await asGrpcWeb(timeout), timeout).toBe(Code.InvalidArgument);
    }
    expect(await asConnect('0')).toMatchObject({ code: 'deadline_exceeded' });
    expect(await asGrpcWeb('0S')).toBe(Code.DeadlineExceeded);
  });

  it('nothing is begun for a caller whose time was over before', async () => {
    let begun = 0;
    const nothing = () => Promise.resolve(undefined);
    const execute = () => {
      begun += 1;
      return sleep(1, { ok: false, refusal: { code: 'Contended', message: '' }, duplicate: false } as const);
    };
    test = await openTestDoor({ runtime: { execute, payment: nothing, account: nothing, payout: nothing } });
    const command = {
      idempotencyKey: 'k',
      kind: 'PAYMENT_KIND_P2P',
      amount: '1',
      currency: 'XOF',
      upTo: 'PAY_UP_TO_SETTLED',
    };
    const late = await asConnect('0', JSON.stringify({ commands: [{ pay: command }] }));
    expect(late).toMatchObject({ code: 'deadline_exceeded' });
    expect(begun).toBe(0);
    await asConnect('1000', JSON.stringify({ commands: [{ pay: command }] }));
    expect(begun).toBe(1);
  });
});

it('only times that a timer cannot hold are changed', () => {
  const bounded = (headers: IncomingHttpHeaders): IncomingHttpHeaders => {
    boundTimeout(headers);
    return headers;
  };
  expect(bounded({})).toEqual({});
  expect(bounded({ 'connect-timeout-ms': '2147483647' })).toEqual({ 'connect-timeout-ms': '2147483647' });
  expect(bounded({ 'connect-timeout-ms': '2147483648' })).toEqual({ 'connect-timeout-ms': '2147483647' });
  expect(bounded({ 'grpc-timeout': '596H' })).toEqual({ 'grpc-timeout': '596H' });
  expect(bounded({ 'grpc-timeout': '597H' })).toEqual({ 'grpc-timeout': '2147483S' });
  expect(bounded({ 'grpc-timeout': '99999999n' })).toEqual({ 'grpc-timeout': '99999999n' });
  expect(bounded({ 'grpc-timeout': 'soon' })).toEqual({ 'grpc-timeout': 'soon' });
});
