import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest';
import { http } from '../attacks/support/person.ts';
import { openProduct, type Product } from '../attacks/support/product.ts';
import { StreamConnection } from '../attacks/support/stream.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { lineTo } from '../troubles/support/line.ts';
import { openTroubledProduct, patience } from '../troubles/support/product.ts';

// What the product does shows in its metrics, by route, method, command and code; each of them is documented; and none of
// their labels names somebody or something.

describe('the metrics of the product', { timeout: 60_000 }, () => {
  let product: Product;
  let stream: StreamConnection;
  let text = '';
  const names = [`ada-${randomUUID()}`, `ben-${randomUUID()}`] as const;
  const scrape = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${product.kora.metricsPort ?? 0}/metrics`)).text();
  const valueOf = (series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length + 1) ?? NaN,
    );

  beforeAll(async () => {
    product = await openProduct();
    const [ada, ben] = names;
    for (const accountId of names)
      await product.service('POST', '/v1/accounts', { body: { type: 'customer', currency: 'XOF', accountId } });
    await product.fund(ada, '1000');
    const pay = { kind: 'P2P', currency: 'XOF', payer: ada, payee: ben, amount: '10' };
    for (let count = 0; count < 5; count++) await product.service('POST', '/v1/payments', { body: pay });
    await product.service('POST', '/v1/payments', { body: { ...pay, amount: '1001' } });
    const key = randomUUID();
    const again = { idempotencyKey: key, ...pay, kind: 'PAYMENT_KIND_P2P', upTo: 'PAY_UP_TO_SETTLED' };
    const token = await product.serviceToken();
    for (let count = 0; count < 2; count++) await product.callRpc('PaymentService/Pay', again, token);
    await product.callRpc('PaymentService/GetPayment', { paymentId: 'f'.repeat(27) }, token);
    await product.callRpc('PaymentService/Pay', again, 'nobody');
    await product.callRpc('PaymentService/Pay', { amount: 'much' }, token);
    await http(product.rpc, 'POST', `/${ada}`, {});
    await product.service('GET', `/v1/accounts/${ada}`);
    await http(product.http, 'GET', `/v1/accounts/${ben}`);
    await http(product.http, 'GET', `/somewhere/${ben}`);
    await fetch(`${product.rpc}/kora.v1.PaymentService/Pay`, {
      method: 'POST',
      body: 'x',
      headers: { 'content-type': 'a/b' },
    });
    stream = await StreamConnection.must(product.stream, { authorization: `Bearer ${token}` });
    await product.kora.projected();
    await sleep(50);
    text = await scrape();
  }, 60_000);
  afterAll(async () => {
    stream.close();
    await product.close();
  });

  it('count requests of the http door by method, route and status', () => {
    const requests = (labels: string): number => valueOf(`kora_http_requests_total{${labels}}`);
    expect(requests('method="POST",route="/v1/payments",status="201"')).toBe(6);
    expect(requests('method="POST",route="/v1/payments",status="422"')).toBe(1);
    expect(requests('method="GET",route="/v1/accounts/:id",status="200"')).toBe(1);
    expect(requests('method="GET",route="/v1/accounts/:id",status="401"')).toBe(1);
    expect(requests('method="GET",route="none",status="404"')).toBe(1);
    expect(valueOf('kora_http_request_seconds_count{method="POST",route="/v1/payments"}')).toBe(7);
    expect(valueOf('kora_http_request_seconds_sum{method="POST",route="/v1/payments"}')).toBeGreaterThan(0);
  });

  it('count calls of the rpc door by method and code', () => {
    const calls = (method: string, code: string): number =>
      valueOf(`kora_rpc_calls_total{method="${method}",code="${code}"}`);
    expect(calls('kora.v1.PaymentService/Pay', 'ok')).toBe(2);
    expect(calls('kora.v1.PaymentService/Pay', 'unauthenticated')).toBe(1);
    expect(calls('kora.v1.PaymentService/Pay', 'invalid_argument')).toBe(1);
    expect(calls('kora.v1.PaymentService/Pay', 'http_415')).toBe(1);
    expect(calls('kora.v1.PaymentService/GetPayment', 'not_found')).toBe(1);
    expect(calls('none', 'http_404')).toBe(1);
    expect(valueOf('kora_rpc_call_seconds_count{method="kora.v1.PaymentService/Pay"}')).toBe(5);
  });

  it('count commands by type and by what they came to', () => {
    const commands = (type: string, outcome: string): number =>
      valueOf(`kora_commands_total{type="${type}",outcome="${outcome}"}`);
    expect(commands('OpenAccount', 'done')).toBe(2);
    expect(commands('Pay', 'done')).toBe(7);
    expect(commands('Pay', 'duplicate')).toBe(1);
    expect(commands('Pay', 'InsufficientFunds')).toBe(1);
    expect(valueOf('kora_command_seconds_count{type="Pay"}')).toBe(9);
    expect(valueOf('kora_requests_at_work')).toBe(0);
    expect(valueOf('kora_residents')).toBeGreaterThan(8);
  });

  it('show the log, the projections, the stream and the store', async () => {
    expect(valueOf('kora_log_units_total')).toBe(10);
    expect(valueOf('kora_log_events_total')).toBe(await product.kora.log.lastPosition());
    expect(valueOf('kora_log_batch_units_sum')).toBe(10);
    expect(valueOf('kora_log_commit_seconds_count')).toBe(valueOf('kora_log_commits_total{outcome="committed"}'));
    for (const metric of ['kora_projection_lag_events', 'kora_projection_lag_seconds', 'kora_projection_stopped'])
      expect(valueOf(`${metric}{projection="payments"}`)).toBe(0);
    expect(valueOf('kora_stream_connections')).toBe(1);
    expect(valueOf('kora_store_trouble')).toBe(0);
    expect(valueOf('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  });

  it('have nothing of a person, an account or a payment in them', () => {
    const labels = [...text.matchAll(/="([^"]*)"/g)].map(([, label = '']) => label);
    for (const name of names) expect(text).not.toContain(name);
    expect(labels.filter((label) => /[0-9a-f]{16}|user:|service:|@|\+\d{6}/.test(label))).toEqual([]);
  });

  it('are documented, every one, and what is documented is there', async () => {
    const docs = await readFile(new URL('../../docs/observability.md', import.meta.url), 'utf8');
    const served = [...text.matchAll(/^# TYPE ((?:kora|molam)_\w+) /gm)].map(([, name]) => name);
    const named = new Set([...docs.matchAll(/^\| `((?:kora|molam)_\w+)/gm)].map(([, name]) => name));
    // Where the product has no source for it yet, docs say so.
    const later = [...docs.matchAll(/^\| `((?:kora|molam)_\w+).*\(not fed yet\)/gm)].map(([, name]) => name);
    expect(served.length).toBeGreaterThan(15);
    expect([...served, ...later].sort()).toEqual([...named].sort());
  });
});

test(
  'while the database is silent the others are served, without what only it knows',
  { timeout: 60_000 },
  async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const line = await lineTo(database.poolConfig);
    const product = await openTroubledProduct({ DATABASE_URL: line.databaseUrl });
    const scrape = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${product.kora.metricsPort ?? 0}/metrics`)).text();
    await expect.poll(scrape, patience).toContain('kora_projection_lag_events{projection="payments"}');
    line.silence();
    await expect.poll(scrape, patience).toContain('\nkora_store_trouble 1\n');
    const beganMs = performance.now();
    const text = await scrape();
    expect(performance.now() - beganMs).toBeLessThan(4_000);
    expect(text).not.toContain('kora_projection_lag_events{');
    expect(text).toContain('\nkora_commands_total{type="OpenAccount",outcome="done"} 1\n');
    line.mend();
    await expect.poll(scrape, patience).toContain('kora_projection_lag_events{projection="payments"}');
  },
);
