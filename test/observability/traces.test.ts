import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startOtelTracing } from '../../src/platform/tracing/otel-tracing.ts';
import type { Export } from '../../src/platform/tracing/told-exporter.ts';
import type { Tracing } from '../../src/platform/tracing/span.ts';
import { openProduct, type Product } from '../attacks/support/product.ts';
import { openOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts';

// A payment can be followed: over the door, the runtime and the log, in one trace with one correlation id, in the caller's
// trace where there is one; the lines of the log name the trace. A collector that is away takes nothing with it.

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition();) {
    if (Date.now() > deadline) throw new Error('it did not come to that in 10 s');
    await sleep(20);
  }
}

describe('a payment', { timeout: 60_000 }, () => {
  let receiver: OtlpReceiver;
  let product: Product;
  beforeAll(async () => {
    receiver = await openOtlpReceiver();
    product = await openProduct({ KORA_OTLP_URL: receiver.url });
    for (const accountId of ['ada', 'ben']) {
      const opened = await product.service('POST', '/v1/accounts', {
        body: { type: 'customer', currency: 'XOF', accountId },
      });
      expect(opened.status).toBe(201);
    }
    await product.fund('ada', '1000');
  }, 60_000);
  afterAll(async () => {
    await product.close();
    await receiver.close();
  });

  const spansOf = async (correlationId: string, count: number): Promise<ReceivedSpan[]> => {
    const mine = (): ReceivedSpan[] =>
      receiver.spans.filter(({ attributes }) => attributes['correlation_id'] === correlationId);
    await until(() => mine().length >= count);
    // From the outside in: many begin within a millisecond, which is how exactly a span says when it began.
    const depth = ({ parentSpanId }: ReceivedSpan): number => {
      const parent = receiver.spans.find(({ spanId }) => spanId === parentSpanId);
      return parent === undefined ? 0 : 1 + depth(parent);
    };
    return mine().sort((one, other) => depth(one) - depth(other));
  };
  const pay = { kind: 'P2P', amount: '10', currency: 'XOF', payer: 'ada', payee: 'ben' };

  it('over http is one trace, in the trace of its caller, with the correlation id on every span', async () => {
    const [traceId, spanId, correlationId] = [hex(16), hex(8), `till-7/${randomUUID()}`];
    const headers = {
      traceparent: `00-${traceId}-${spanId}-01`,
      tracestate: 'vendor=secret-of-the-caller',
      baggage: 'user=ada@example.org',
      'kora-correlation-id': correlationId,
    };
    const answer = await product.service('POST', '/v1/payments', { body: pay, headers });
    expect(answer.status).toBe(201);
    const [door, command, append, ...others] = await spansOf(correlationId, 3);
    expect(others).toEqual([]);
    expect([door?.name, command?.name, append?.name]).toEqual(['http.request', 'runtime.command', 'log.append']);
    for (const span of [door, command, append]) expect(span?.traceId).toBe(traceId);
    expect([door?.parentSpanId, command?.parentSpanId, append?.parentSpanId]).toEqual([
      spanId,
      door?.spanId,
      command?.spanId,
    ]);
    expect(door).toMatchObject({
      // SERVER
      kind: 2,
      failed: false,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/v1/payments',
        'http.response.status_code': 201,
      },
    });
    expect(command?.attributes).toMatchObject({ 'kora.command': 'Pay', 'kora.outcome': 'done' });
    expect(append?.attributes).toMatchObject({ 'kora.outcome': 'committed', 'kora.streams': 3 });
    expect(append?.attributes['kora.position']).toBeGreaterThan(0);
    // A span begins at a whole millisecond, and its length is exact.
    const ends = [append, command, door].map((span) => Number((span?.endNs ?? 0n) / 1_000n) / 1_000);
    expect(ends[0]).toBeLessThan((ends[1] ?? 0) + 1.001);
    expect(ends[1]).toBeLessThan((ends[2] ?? 0) + 1.001);
    const line = product.lines.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(line.find((fields) => fields['correlationId'] === correlationId)).toMatchObject({ trace_id: traceId });
    const sent = receiver.bodies.join('');
    for (const secret of ['secret-of-the-caller', 'ada@example.org']) expect(sent).not.toContain(secret);
  });

  it('over http without a trace of its caller begins one', async () => {
    const correlationId = randomUUID();
    const headers = { 'kora-correlation-id': correlationId, traceparent: `00-${'0'.repeat(32)}-${hex(8)}-01` };
    await product.service('POST', '/v1/payments', { body: { ...pay, amount: '999999999' }, headers });
    const [door, command] = await spansOf(correlationId, 3);
    expect(door?.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(door?.parentSpanId).toBeUndefined();
    expect(command?.attributes['kora.outcome']).toBe('InsufficientFunds');
  });

  it('over rpc is one trace, and each command of a batch has its own correlation id', async () => {
    const [traceId, correlationId] = [hex(16), randomUUID()];
    const each = [randomUUID(), randomUUID()];
    const command = (id: string): object => ({
      correlationId: id,
      pay: { ...pay, kind: 'PAYMENT_KIND_P2P', upTo: 'PAY_UP_TO_SETTLED', idempotencyKey: id },
    });
    const answer = await fetch(`${product.rpc}/kora.v1.PaymentService/Batch`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await product.serviceToken()}`,
        'kora-correlation-id': correlationId,
        traceparent: `00-${traceId}-${hex(8)}-01`,
      },
      body: JSON.stringify({ commands: each.map(command) }),
    });
    expect(answer.status).toBe(200);
    const [door] = await spansOf(correlationId, 1);
    expect(door).toMatchObject({
      name: 'rpc.call',
      traceId,
      attributes: { 'rpc.method': 'kora.v1.PaymentService/Batch', 'rpc.response.status_code': 'ok' },
    });
    for (const id of each) {
      const spans = await spansOf(id, 2);
      expect(spans.map(({ name }) => name)).toEqual(['runtime.command', 'log.append']);
      expect(spans.map((span) => span.traceId)).toEqual([traceId, traceId]);
      expect(spans[0]?.parentSpanId).toBe(door?.spanId);
    }
  });

  it('is not recorded where its caller does not record it', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    const headers = { 'kora-correlation-id': first, traceparent: `00-${hex(16)}-${hex(8)}-00` };
    await product.service('POST', '/v1/payments', { body: pay, headers });
    await product.service('POST', '/v1/payments', { body: pay, headers: { 'kora-correlation-id': second } });
    await spansOf(second, 3);
    expect(receiver.spans.filter(({ attributes }) => attributes['correlation_id'] === first)).toEqual([]);
  });

  it('of nobody who is let in, and of no route, is a span of the door', async () => {
    const correlationId = randomUUID();
    const headers = { 'kora-correlation-id': correlationId, authorization: 'Bearer nobody.knows.it' };
    await fetch(`${product.http}/v1/accounts/somebodys?token=hidden-in-the-query`, { headers });
    await fetch(`${product.http}/somewhere/hidden-in-the-path`, { headers });
    await fetch(`${product.rpc}/somewhere/hidden-in-the-path`, { method: 'POST', headers });
    const spans = await spansOf(correlationId, 2);
    expect(spans.map(({ attributes }) => attributes['http.route']).sort()).toEqual(['/v1/accounts/:id', 'none']);
    await until(() => receiver.spans.some(({ attributes }) => attributes['rpc.method'] === 'none'));
    expect(receiver.bodies.join('')).not.toContain('hidden-in');
    expect(receiver.resources[0]).toMatchObject({ 'service.name': 'kora' });
  });

  it('is made while the collector is away, and people are told once', async () => {
    const { length } = product.lines;
    receiver.status = 400;
    for (let round = 0; round < 3; round++) {
      const answer = await product.service('POST', '/v1/payments', { body: pay });
      expect(answer.status).toBe(201);
      await sleep(1_100);
    }
    receiver.status = 200;
    const correlationId = randomUUID();
    await product.service('POST', '/v1/payments', { body: pay, headers: { 'kora-correlation-id': correlationId } });
    await spansOf(correlationId, 3);
    await until(() => product.lines.slice(length).some((line) => line.includes('traces are sent again')));
    const said = product.lines.slice(length).filter((line) => line.includes('traces cannot be sent'));
    expect(said).toHaveLength(1);
    const scraped = await (await fetch(`http://127.0.0.1:${product.kora.metricsPort ?? 0}/metrics`)).text();
    expect(scraped).toMatch(/^kora_spans_total\{outcome="lost"\} [1-9]/m);
    expect(scraped).toMatch(/^kora_spans_total\{outcome="sent"\} [1-9]/m);
  });
});

describe('spans', () => {
  let receiver: OtlpReceiver;
  let tracing: Tracing | undefined;
  const exports: Export[] = [];
  const start = (
    options: { readonly ratio?: number; readonly url?: string; readonly delayMs?: number } = {},
  ): Tracing => {
    tracing = startOtelTracing({
      url: receiver.url,
      ratio: 1,
      version: '1',
      instanceId: 'one',
      onExport: (sent) => exports.push(sent),
      delayMs: 60_000,
      ...options,
    });
    return tracing;
  };
  beforeAll(async () => {
    receiver = await openOtlpReceiver();
  });
  afterEach(async () => {
    await tracing?.close();
    receiver.spans.splice(0);
    receiver.status = 200;
  });
  afterAll(() => receiver.close());

  it('of a connector are inside of each other, follow what is awaited, and give down the correlation id', async () => {
    const spans = start();
    let header: string | undefined;
    const send = (slice: string, correlationId: string): Promise<void> =>
      spans.span('connector.sendPayment', { payout_slice_id: slice, correlation_id: correlationId }, async () => {
        await spans.span('vault.getSecret', {}, () => sleep(1));
        await spans.span('http.post', {}, async () => {
          await sleep(1);
          header = spans.traceparent();
        });
      });
    await spans.span('dispatcher.pollSlices', {}, async () => {
      await Promise.all([send('a', 'first'), send('b', 'second')]);
    });
    await spans.close();
    const byId = new Map(receiver.spans.map((span) => [span.spanId, span]));
    const parentOf = (span: ReceivedSpan | undefined): ReceivedSpan | undefined => byId.get(span?.parentSpanId ?? '');
    const posts = receiver.spans.filter(({ name }) => name === 'http.post');
    expect(posts.map(({ attributes }) => attributes['correlation_id']).sort()).toEqual(['first', 'second']);
    for (const post of posts) {
      expect(parentOf(post)?.name).toBe('connector.sendPayment');
      expect(parentOf(post)?.attributes['correlation_id']).toBe(post.attributes['correlation_id']);
      expect(parentOf(parentOf(post))?.name).toBe('dispatcher.pollSlices');
    }
    expect(posts.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`)).toContain(header);
    expect(receiver.spans).toHaveLength(7);
  });

  it('say that their work failed, by its name and not in its words', async () => {
    const spans = start();
    const fault = Object.assign(new TypeError('of ada@example.org'), { code: 'ECONNRESET' });
    await expect(spans.span('http.post', {}, () => Promise.reject(fault))).rejects.toBe(fault);
    const thrown = (): never => {
      throw fault;
    };
    expect(() => spans.span('hmac.sign', {}, thrown)).toThrow(fault);
    expect(spans.span('log.execution', {}, () => 7)).toBe(7);
    expect(spans.traceparent()).toBeUndefined();
    await spans.close();
    const byName = new Map(receiver.spans.map((span) => [span.name, span]));
    for (const name of ['http.post', 'hmac.sign'])
      expect(byName.get(name)).toMatchObject({ failed: true, attributes: { 'error.type': 'TypeError ECONNRESET' } });
    expect(byName.get('log.execution')).toMatchObject({ failed: false });
    expect(receiver.bodies.join('')).not.toContain('ada@example.org');
  });

  it('are recorded at the ratio that is set, and there is a trace id all the same', async () => {
    const spans = start({ ratio: 0 });
    let [traceId, header]: (string | undefined)[] = [];
    await spans.span('http.post', {}, () => {
      [traceId, header] = [spans.traceId(), spans.traceparent()];
      return Promise.resolve();
    });
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(header).toMatch(/-00$/);
    await spans.close();
    expect(receiver.spans).toEqual([]);
  });

  it('are sent at the end, to a path of its own where the URL has one', async () => {
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url ?? '');
      request.resume().on('end', () => response.end('{}'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const spans = start({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/otlp/traces` });
    await spans.span('http.post', {}, () => Promise.resolve());
    await spans.close();
    expect(paths).toEqual(['/otlp/traces']);
    server.close();
    server.closeAllConnections();
  });

  it.each([
    ['that hangs', (): string => ((receiver.status = 'hang'), receiver.url)],
    ['that is not there', (): string => 'http://127.0.0.1:9'],
  ])('do not keep kora from ending, with a collector %s', { timeout: 20_000 }, async (_how, url) => {
    const spans = start({ url: url() });
    await spans.span('http.post', {}, () => Promise.resolve());
    const beganMs = performance.now();
    await spans.close();
    expect(performance.now() - beganMs).toBeLessThan(8_000);
  });
});
