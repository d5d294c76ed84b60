import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startKora, type Kora } from '../../src/composition.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { http } from '../attacks/support/person.ts';
import { Provider, providerSecret } from '../connectors/support/provider.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts';

// A real call to a provider can be followed by the caller's correlation id, from the request to what is written down of the
// answer: in spans, in the line of the call and in the log of events; also where the process that calls is another one than
// the one that was asked. It is counted by the specification's names.

describe('a payment through a provider', { timeout: 90_000 }, () => {
  const key = createServiceKey();
  const lines: string[] = [];
  let database: TestDatabase;
  let folder: string;
  let provider: Provider;
  let receiver: OtlpReceiver;
  let kora: Kora | undefined;
  let token: string;

  const start = async (withConnectors: boolean): Promise<Kora> => {
    await kora?.close();
    const texts = {
      DATABASE_URL: database.connectionString,
      KORA_DATA_DIR: folder,
      KORA_SERVICE_KEY: String(key.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      KORA_IDENTITY_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
      KORA_HTTP_PORT: '0',
      KORA_RPC_PORT: '0',
      KORA_STREAM_PORT: '0',
      KORA_METRICS_PORT: '0',
      KORA_OTLP_URL: receiver.url,
      ...(withConnectors && { KORA_CONNECTORS: join(folder, 'connectors.json') }),
    };
    const logger = createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) });
    kora = await startKora(configFrom(texts), { logger, secrets: { PROVIDER_SECRET: providerSecret } });
    return kora;
  };
  beforeAll(async () => {
    [database, folder, provider, receiver] = await Promise.all([
      createTestDatabase(),
      mkdtemp(join(tmpdir(), 'kora-calls-')),
      Provider.start(),
      openOtlpReceiver(),
    ]);
    const settings = { baseUrl: provider.url, hmacSecret: 'env:PROVIDER_SECRET' };
    const document = {
      profiles: [{ id: 'momo', bank_name: 'Momo', swift_bic: 'MOMOCIAB', supported_rails: ['momo'] }],
      connectors: [{ id: 'momo-1', type: 'rest', profile: 'momo', settings }],
    };
    await writeFile(join(folder, 'connectors.json'), JSON.stringify(document));
    token = await issueServiceToken({ key, service: 'till', tenant: 'kora', ttlSeconds: 3_600 });
  }, 60_000);
  afterAll(async () => {
    await kora?.close();
    await provider.stop();
    await receiver.close();
    await rm(folder, { recursive: true, force: true });
    await database.drop();
  });

  const call = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await http(`http://127.0.0.1:${kora?.httpPort ?? 0}`, method, path, { token, body, headers });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as Record<string, unknown>;
  };
  const settled = async (correlationId: string): Promise<{ paymentId: string; spans: readonly ReceivedSpan[] }> => {
    const mine = (): ReceivedSpan[] =>
      receiver.spans.filter(({ attributes }) => attributes['correlation_id'] === correlationId);
    for (const deadline = Date.now() + 30_000; ;) {
      await sleep(50);
      const recorded = mine().find(({ name }) => name === 'log.execution');
      const paymentId = String(
        mine().find(({ name }) => name === 'connector.sendPayment')?.attributes['payout_slice_id'],
      );
      if (recorded !== undefined && (await call('GET', `/v1/payments/${paymentId}`))['status'] === 'SETTLED') {
        // Spans are sent some time after they end.
        await kora?.close();
        kora = undefined;
        return { paymentId, spans: mine() };
      }
      if (Date.now() > deadline)
        throw new Error(
          `not settled; spans: ${mine()
            .map(({ name }) => name)
            .join(', ')}`,
        );
    }
  };
  const cashOut = {
    kind: 'CASH_OUT',
    amount: '10',
    currency: 'XOF',
    payer: 'ada',
    provider: 'momo',
    beneficiary: 'm1',
  };
  const namesOf = (spans: readonly ReceivedSpan[]): string[] => [...new Set(spans.map(({ name }) => name))].sort();
  const ofCall = ['connector.sendPayment', 'db.updateSlice', 'dispatcher.executeSlice', 'hmac.sign', 'http.post'];

  it('is followed in spans, in the line of the call, in figures and in its events', async () => {
    const opened = await start(true);
    await call('POST', '/v1/accounts', { type: 'customer', currency: 'XOF', accountId: 'ada' });
    await call('POST', '/v1/payments', {
      kind: 'CASH_IN',
      amount: '100',
      currency: 'XOF',
      payee: 'ada',
      provider: 'cash',
    });
    const correlationId = `till-7/${randomUUID()}`;
    const made = await call('POST', '/v1/payments', cashOut, { 'kora-correlation-id': correlationId });
    // Nobody vouches by default for what the provider is yet to do.
    expect(made['status']).toBe('AUTHORIZED');
    const metricsOf = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${opened.metricsPort ?? 0}/metrics`)).text();
    let metrics = '';
    for (let tries = 0; tries < 200 && !metrics.includes('operation="sendPayment"'); tries++) {
      await sleep(50);
      metrics = await metricsOf();
    }
    expect(metrics).toMatch(
      /^molam_bank_connector_requests_total\{(?=.*connector="momo-1")(?=.*operation="sendPayment")(?=.*status="success").*\} 1$/m,
    );
    expect(metrics).toMatch(/^molam_bank_connector_latency_seconds\{(?=.*connector="momo-1")(?=.*quantile="0.95")/m);
    expect(metrics).toMatch(/^molam_bank_connector_circuit_state\{connector="momo-1"\} 0$/m);
    const { paymentId, spans } = await settled(correlationId);
    expect(paymentId).toBe(made['paymentId']);
    expect(namesOf(spans)).toEqual(
      expect.arrayContaining([
        ...ofCall,
        'http.request',
        'log.append',
        'log.execution',
        'manager.loadConnector',
        'runtime.command',
      ]),
    );
    const sent = spans.find(({ name }) => name === 'connector.sendPayment');
    const line = lines
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .find((fields) => fields['operation'] === 'sendPayment' && fields['payout_slice_id'] === paymentId);
    expect(line).toMatchObject({
      connector_id: 'momo-1',
      connector_type: 'rest',
      trace_id: sent?.traceId,
      status: 'success',
      provider_ref: expect.any(String) as string,
      duration_ms: expect.any(Number) as number,
      level: 'info',
      timestamp: expect.any(String) as string,
    });
    const pool = new pg.Pool({ ...database.poolConfig, max: 1 });
    const { rows } = await pool.query<{ trace_id: string }>(
      `select trace_id from providers.bank_connector_logs where connector_id = 'momo-1' and operation = 'sendPayment'`,
    );
    await pool.end();
    expect(rows).toEqual([{ trace_id: sent?.traceId }]);
  });

  it('can be asked about out of turn, which asks the provider once', async () => {
    await start(true);
    const paymentId = String((await call('POST', '/v1/payments', cashOut))['paymentId']);
    const deadline = Date.now() + 30_000;
    while ((await call('GET', `/v1/payments/${paymentId}`))['status'] !== 'SETTLED') {
      if (Date.now() > deadline) throw new Error('it was never settled');
      await sleep(50);
    }
    const before = lines.length;
    expect(await call('POST', `/v1/payments/${paymentId}/ask`)).toEqual({ paymentId, said: 'confirmed' });
    const questions = lines
      .slice(before)
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .filter((fields) => fields['payout_slice_id'] === paymentId && fields['operation'] !== 'sendPayment');
    expect(questions.map(({ connector_id, status }) => [connector_id, status])).toEqual([['momo-1', 'success']]);
    expect((await call('GET', `/v1/payments/${paymentId}`))['status']).toBe('SETTLED');
    await expect(call('POST', '/v1/payments/nobody/ask')).rejects.toThrow('404');
  });

  it('that another process finds on its list keeps the correlation id of its caller', async () => {
    await start(false);
    const correlationId = `till-8/${randomBytes(8).toString('hex')}`;
    await call('POST', '/v1/payments', { ...cashOut, upTo: 'AUTHORIZED' }, { 'kora-correlation-id': correlationId });
    await start(true);
    const { spans } = await settled(correlationId);
    expect(namesOf(spans)).toEqual(expect.arrayContaining(ofCall));
  });
});
