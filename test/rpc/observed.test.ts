import { afterEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/actors/runtime.ts';
import type { Answered } from '../../src/gateway/door-observer.ts';
import { PaymentKind, PayUpTo } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { noSpans, type Incoming, type OpenSpan } from '../../src/platform/tracing/span.ts';
import { clientsOf, protocols } from './clients.ts';
import { openTestDoor, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';

// Whoever looks at the door sees what each call came to, whatever protocol it was made in: an error is within the body of an
// answer there, in trailers or in the status.

const pay = { idempotencyKey: 'k', kind: PaymentKind.P2P, amount: '1', currency: 'XOF', upTo: PayUpTo.SETTLED };
let test: TestDoor | undefined;
afterEach(async () => {
  await test?.close();
  test = undefined;
});

describe.each(Object.keys(protocols))('calls over %s', (protocol) => {
  it('are told of, once each, by method and code', async () => {
    const answered: Answered[] = [];
    const spans: { incoming: Incoming | undefined; correlationId?: string; failed?: boolean | undefined }[] = [];
    const begin = (_name: string, _attributes: object, incoming?: Incoming): OpenSpan => {
      const span: (typeof spans)[number] = { incoming };
      spans.push(span);
      return {
        run: (work) => work(),
        correlate: (correlationId) => (span.correlationId = correlationId),
        end: (outcome) => (span.failed = outcome?.failed),
      };
    };
    const outcomes: (Outcome | Error)[] = [
      { ok: true, duplicate: false },
      { ok: false, refusal: { code: 'Contended', message: 'raced' }, duplicate: false },
      new Error('broken'),
    ];
    const nothing = () => Promise.resolve(undefined);
    const execute = (): Promise<Outcome> => {
      const outcome = outcomes.shift() ?? new Error('no more');
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    };
    test = await openTestDoor({
      runtime: { execute, payment: nothing, account: nothing, payout: nothing },
      observer: {
        answered: (one) => answered.push(one),
        tracing: { ...noSpans, begin, close: () => Promise.resolve() },
      },
    });
    const { payments, accounts } = clientsOf(test.url, test.token, protocol);
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await payments.pay(pay, { headers: { traceparent, 'kora-correlation-id': 'mine' } });
    await refusedBy(payments.pay(pay));
    await refusedBy(payments.pay(pay));
    await refusedBy(payments.pay({ ...pay, amount: 'much' }));
    await refusedBy(accounts.getAccount({ accountId: 'nobody' }));
    await refusedBy(clientsOf(test.url, 'nobody', protocol).payments.pay(pay));
    await expect.poll(() => answered.length).toBe(6);
    const called = answered.map(({ method, status }) => `${method} ${status}`);
    const payMethod = 'kora.v1.PaymentService/Pay';
    expect(called).toEqual([
      `${payMethod} ok`,
      `${payMethod} aborted`,
      `${payMethod} internal`,
      `${payMethod} invalid_argument`,
      'kora.v1.AccountService/GetAccount not_found',
      `${payMethod} unauthenticated`,
    ]);
    expect(answered.every(({ tookMs }) => tookMs > 0 && tookMs < 60_000)).toBe(true);
    expect(spans[0]).toMatchObject({ incoming: { traceparent }, correlationId: 'mine', failed: false });
    for (const { correlationId } of spans) expect(correlationId).toBeTruthy();
    // A fault is; a refusal is an answer.
    expect(spans.map(({ failed }) => failed)).toEqual([false, false, true, false, false, false]);
  });
});
