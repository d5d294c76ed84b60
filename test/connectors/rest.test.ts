import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keyReference, type Tracing } from '../../src/connectors/index.ts';
import { managing, parsed, restConfig, slice } from './support/manager.ts';
import { Provider } from './support/provider.ts';

/** Proves what the rest kind says of every way in which a request can go, against a real provider or a real socket. */
let provider: Provider;
const open: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  provider = await Provider.start();
});
afterAll(() => provider.stop());
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  await provider.outage('none');
  await provider.behave();
});

async function connected(more: Record<string, unknown> = {}, settings: object = {}, url = provider.url) {
  const managed = managing();
  open.push(() => managed.manager.close());
  await managed.manager.apply(parsed(restConfig(url, more, settings)));
  return managed;
}

/** A server that says nothing but this. */
async function saying(answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

function http(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

describe('a payment over rest', () => {
  it('is accepted, found by our key and by the reference, and reported once each time', async () => {
    await provider.behave({ confirmAfter: '60000-60000' });
    const { manager, breaker, calls } = await connected();
    const payment = slice();
    const sent = await manager.send('mtn', payment);
    expect(sent).toEqual({
      outcome: 'accepted',
      providerRef: expect.any(String) as string,
      status: 'pending',
      providerFee: '15',
    });
    const { providerRef } = sent as { providerRef: string };
    await provider.say(payment.idempotencyKey, 'confirmed');
    const confirmed = { status: 'confirmed', providerRef, providerFee: '15' };
    expect(await manager.status('mtn', providerRef, payment)).toEqual(confirmed);
    expect(await manager.status('mtn', keyReference(payment.idempotencyKey), payment)).toEqual(confirmed);
    await provider.settle();
    expect(await manager.status('mtn', providerRef, payment)).toEqual({ ...confirmed, status: 'settled' });
    expect(breaker.told).toEqual(['mtn succeeded']);
    expect(calls[0]).toEqual({
      connector_id: 'mtn',
      connector_type: 'rest',
      operation: 'sendPayment',
      trace_id: payment.traceId,
      duration_ms: expect.any(Number) as number,
      status: 'success',
      provider_ref: providerRef,
      payout_slice_id: payment.id,
    });
    expect(calls.map(({ operation }) => operation)).toEqual([
      'sendPayment',
      ...Array<string>(3).fill('getPaymentStatus'),
    ]);
  });

  it('is one payment for the provider when it is sent twice with the same key, in the header or in the body', async () => {
    for (const idempotency of [{}, { in: 'body', name: 'requestId' }]) {
      const { manager } = await connected({}, { idempotency });
      const payment = slice();
      const [one, two] = [await manager.send('mtn', payment), await manager.send('mtn', payment)];
      expect(one).toMatchObject({ outcome: 'accepted', status: 'confirmed' });
      expect(two).toEqual(one);
      expect(await provider.payments(payment.idempotencyKey)).toHaveLength(1);
    }
    expect((await provider.totals()).doubles).toEqual([]);
  });

  it('is in doubt when that key is another payment there', async () => {
    const { manager } = await connected();
    const payment = slice();
    await manager.send('mtn', payment);
    expect(await manager.send('mtn', { ...payment, amount: '9' })).toEqual({
      outcome: 'unknown',
      reason: 'KeyConflict: KeyReused',
    });
  });

  it('is refused finally by a well-formed refusal, which speaks for the connector', async () => {
    await provider.behave({ refusals: 1 });
    const { manager, breaker } = await connected();
    const refused = { outcome: 'refused', code: 'InvalidAccount', elsewhere: false };
    expect(await manager.send('mtn', slice())).toEqual(refused);
    const elsewhere = await connected({}, { elsewhereCodes: ['InvalidAccount'] });
    expect(await elsewhere.manager.send('mtn', slice())).toEqual({ ...refused, elsewhere: true });
    expect(breaker.told).toEqual(['mtn succeeded']);
  });

  it('is refused elsewhere, against the connector, when the provider does not know our signature', async () => {
    const managed = managing({ secrets: { env: { MTN_SECRET: 'another one' } } });
    open.push(() => managed.manager.close());
    await managed.manager.apply(parsed(restConfig(provider.url)));
    const payment = slice();
    expect(await managed.manager.send('mtn', payment)).toEqual({
      outcome: 'refused',
      code: 'BadSignature',
      elsewhere: true,
      ofConnector: true,
    });
    expect(managed.breaker.told).toEqual(['mtn failed: Refused: BadSignature']);
    expect(await provider.payments(payment.idempotencyKey)).toEqual([]);
  });

  it('is in doubt when it was taken and the answer does not come, and is found by asking', async () => {
    await provider.behave({ acceptedTimeouts: 1 });
    const { manager, breaker } = await connected({ limits: { requestTimeoutMs: 400 } });
    const payment = slice();
    const reason = 'Timeout: no answer within 400 ms';
    expect(await manager.send('mtn', payment)).toEqual({ outcome: 'unknown', reason });
    expect(breaker.told).toEqual([`mtn failed: ${reason}`]);
    await provider.behave();
    expect(await manager.status('mtn', keyReference(payment.idempotencyKey), payment)).toMatchObject({
      status: 'confirmed',
    });
  });

  it('is not found while it is on its way, and then it is there', async () => {
    await provider.behave({ onItsWay: 1, onItsWayFor: 2_000 });
    const { manager } = await connected({ limits: { requestTimeoutMs: 400 } });
    const payment = slice();
    const reference = keyReference(payment.idempotencyKey);
    expect(await manager.send('mtn', payment)).toMatchObject({ outcome: 'unknown' });
    expect(await manager.status('mtn', reference, payment)).toEqual({ status: 'not_found' });
    const asking = expect.poll(() => manager.status('mtn', reference, payment), { timeout: 20_000 });
    await asking.toMatchObject({ status: 'confirmed' });
  });

  it.each([
    ['taken, and answered with a page', { garbage: 1 }, 'Unreadable: status 200'],
    ['taken, and answered 502', { acceptedErrors: 1 }, 'Unreadable: status 502'],
    ['answered 500', { errors: 1 }, 'Unreadable: status 500'],
    ['answered "not taken" where no contract makes that final', { notTaken: 1 }, 'Unreadable: status 503'],
  ])('is in doubt when it is %s', async (_case, behaviour, reason) => {
    await provider.behave(behaviour);
    const { manager, breaker } = await connected();
    expect(await manager.send('mtn', slice())).toEqual({ outcome: 'unknown', reason });
    expect(breaker.told).toEqual([`mtn failed: ${reason}`]);
  });

  it('may be sent elsewhere after "not taken" where the contract makes that final', async () => {
    await provider.behave({ notTaken: 1 });
    const { manager, breaker } = await connected({}, { notTakenIsFinal: true });
    const refused = { outcome: 'refused', code: 'ProviderUnavailable', elsewhere: true, ofConnector: true };
    expect(await manager.send('mtn', slice())).toEqual(refused);
    expect(breaker.told).toEqual(['mtn failed: Refused: ProviderUnavailable']);
  });

  it.each([
    ['a refusal without a body', http('422 No', ''), 'Unreadable: status 422'],
    ['a refusal of a proxy', http('403 No', '{"message":"blocked"}'), 'Unreadable: status 403'],
    ['"not found" of a proxy', http('404 No', '<html>'), 'Unreadable: status 404'],
    ['a redirect', http('302 Found', '{}'), 'Unreadable: status 302'],
    ['another amount', 'contradiction', 'AnswerContradicts: amount'],
    ['half an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"id":', 'ConnectionLost: ECONNRESET'],
    ['nothing, and the end', '', 'ConnectionLost: ECONNRESET'],
  ])('is in doubt after %s', async (_case, answer, reason) => {
    const payment = slice();
    const { idempotencyKey: reference, currency } = payment;
    const contradiction = JSON.stringify({ id: 'x', reference, status: 'confirmed', amount: '1', currency });
    const url = await saying((socket) =>
      socket.end(answer === 'contradiction' ? http('200 OK', contradiction) : answer),
    );
    const { manager } = await connected({}, {}, url);
    expect(await manager.send('mtn', payment)).toEqual({ outcome: 'unknown', reason });
  });

  it('knows nothing of a payment when a proxy answers for the provider', async () => {
    const url = await saying((socket) => socket.end(http('404 No', '{"error":"no such page"}')));
    const { manager } = await connected({}, {}, url);
    const reason = 'Unreadable: status 404';
    expect(await manager.status('mtn', keyReference('k'), { traceId: 't' })).toEqual({ status: 'unknown', reason });
  });

  it('is not sent when the connection is refused', async () => {
    await provider.outage('refuse');
    const { manager, breaker } = await connected();
    const reason = 'ConnectFailed: ECONNREFUSED';
    expect(await manager.send('mtn', slice())).toEqual({ outcome: 'not_sent', reason });
    expect(breaker.told).toEqual([`mtn failed: ${reason}`]);
    expect(await manager.health('mtn')).toMatchObject({ healthy: false, detail: reason });
  });

  it('is not sent when somebody takes the connection and does not prove who he is', async () => {
    const url = (await saying(() => undefined)).replace('http:', 'https:');
    const { manager, breaker } = await connected({}, { connectTimeoutMs: 50 }, url);
    expect(await manager.send('mtn', slice())).toEqual({ outcome: 'not_sent', reason: 'ConnectTimeout' });
    const rude = (await saying((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))).replace('http:', 'https:');
    const other = await connected({}, {}, rude);
    expect(await other.manager.send('mtn', slice())).toMatchObject({ outcome: 'not_sent' });
    expect(breaker.told).toEqual(['mtn failed: ConnectTimeout']);
  });

  it('is not sent at or after sendBefore, which does not speak against the connector', async () => {
    const { manager, breaker } = await connected();
    const payment = slice({ sendBefore: new Date().toISOString() });
    expect(await manager.send('mtn', payment)).toEqual({ outcome: 'not_sent', reason: 'TooLate' });
    expect(breaker.told).toEqual(['mtn released']);
    expect(await provider.payments(payment.idempotencyKey)).toEqual([]);
  });

  it('is not sent when sendBefore comes before the connection, which does not speak against the connector', async () => {
    const url = (await saying(() => undefined)).replace('http:', 'https:');
    const { manager, breaker } = await connected({}, { connectTimeoutMs: 60_000 }, url);
    const payment = slice({ sendBefore: new Date(Date.now() + 100).toISOString() });
    expect(await manager.send('mtn', payment)).toEqual({ outcome: 'not_sent', reason: 'TooLate' });
    expect(breaker.told).toEqual(['mtn released']);
  });

  it('is not sent when sendBefore comes between the connection and the first byte', async () => {
    // A clock that jumps over it once the request has begun to connect.
    let jump = 0;
    const tracing: Tracing = {
      span: (name, _attributes, work) => {
        const result = work();
        if (name === 'http.post') jump = 60_000;
        return result;
      },
    };
    const managed = managing({ now: () => Date.now() + jump, tracing });
    open.push(() => managed.manager.close());
    let written = 0;
    const url = await saying(() => (written += 1));
    await managed.manager.apply(parsed(restConfig(url)));
    expect(await managed.manager.send('mtn', slice())).toEqual({ outcome: 'not_sent', reason: 'TooLate' });
    expect(written).toBe(0);
  });

  it('is not sent when it cannot be written as a request', async () => {
    const { manager } = await connected();
    expect(await manager.send('mtn', slice({ traceId: 'two\nlines' }))).toEqual({
      outcome: 'not_sent',
      reason: 'Unsendable: ERR_INVALID_CHAR',
    });
  });

  it('goes over a connection that is kept, also after an answer that was too late was given up', async () => {
    const { manager } = await connected({ limits: { requestTimeoutMs: 400 } });
    await manager.send('mtn', slice());
    await provider.outage('hang');
    expect(await manager.send('mtn', slice())).toMatchObject({ outcome: 'unknown' });
    await provider.outage('none');
    expect(await manager.send('mtn', slice())).toMatchObject({ outcome: 'accepted' });
  });
});
