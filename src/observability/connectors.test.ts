import { expect, test } from 'vitest';
import { configFrom } from '../platform/config.ts';
import { createLogger } from '../platform/logging.ts';
import { Stages } from '../platform/stages.ts';
import { type Observability, startObservability } from './index.ts';

// The names of the specification, letter for letter: metrics, labels and log fields of connectors.

const call = {
  connector_id: 'orange-ci',
  connector_type: 'rest',
  operation: 'sendPayment',
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  duration_ms: 212.4,
  status: 'success',
  provider_ref: 'OM-20261127-77',
  payout_slice_id: 'slice-1',
};

async function observed(port = '0'): Promise<{ seen: Observability; lines: string[]; scrape: () => Promise<string> }> {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', format: 'json', write: (line) => lines.push(line) });
  const stages = new Stages();
  const seen = await startObservability(configFrom({ KORA_METRICS_PORT: port }), { logger, stages, measured: true });
  const scrape = async (): Promise<string> => {
    const served = await seen.serveMetrics();
    const text = await (await fetch(`http://127.0.0.1:${served ?? 0}/metrics`)).text();
    await stages.stop();
    return text;
  };
  return { seen, lines, scrape };
}

test('calls of connectors are counted and timed', async () => {
  const { seen, scrape } = await observed();
  for (let ms = 1; ms <= 100; ms++) seen.connectors.called({ ...call, duration_ms: ms * 10 });
  seen.connectors.called({ ...call, operation: 'getPaymentStatus', status: 'failed' });
  seen.connectors.circuit('orange-ci', 'OPEN');
  seen.connectors.circuit('wave', 'HALF_OPEN');
  seen.connectors.circuit('bank', 'CLOSED');
  seen.connectors.circuit('gone', 'OPEN');
  seen.connectors.circuit('gone', undefined);
  seen.metrics?.measurePayoutSlices(() => Promise.resolve([{ currency: 'XOF', pending: 12 }]));
  const text = await scrape();
  const requests = 'molam_bank_connector_requests_total';
  expect(text).toContain(`${requests}{connector="orange-ci",operation="sendPayment",status="success"} 100\n`);
  expect(text).toContain(`${requests}{connector="orange-ci",operation="getPaymentStatus",status="failed"} 1\n`);
  expect(text).toContain('# TYPE molam_bank_connector_latency_seconds summary\n');
  const quantiles = [
    ...text.matchAll(/^molam_bank_connector_latency_seconds\{quantile="(.*)",connector="(.*)"\} (.*)$/gm),
  ];
  expect(quantiles.map(([, quantile, connector]) => [quantile, connector])).toEqual(
    ['0.5', '0.9', '0.95', '0.99'].map((quantile) => [quantile, 'orange-ci']),
  );
  expect(Number(quantiles[0]?.[3])).toBeCloseTo(0.5, 1);
  expect(Number(quantiles[2]?.[3])).toBeCloseTo(0.95, 1);
  expect(text).toContain('molam_bank_connector_latency_seconds_count{connector="orange-ci"} 101\n');
  const circuits = [...text.matchAll(/^molam_bank_connector_circuit_state(.*)$/gm)].map(([, rest]) => rest);
  expect(circuits).toEqual(['{connector="orange-ci"} 2', '{connector="wave"} 1', '{connector="bank"} 0']);
  expect(text).toContain('molam_payout_slices_pending{currency="XOF"} 12\n');
});

test('a line has the fields of the specification, and no others', async () => {
  const { seen, lines } = await observed();
  seen.connectors.called({ ...call, account: '+221771234567', headers: {} } as typeof call);
  const {
    provider_ref: _ref,
    payout_slice_id: _slice,
    ...health
  } = { ...call, operation: 'healthcheck', status: 'failed', reason: 'Timeout' };
  seen.connectors.called(health);
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(first).toEqual({
    ...call,
    timestamp: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/) as string,
    level: 'info',
    duration_ms: 212,
    msg: 'a connector was called',
  });
  expect(second).toMatchObject({ level: 'warn', operation: 'healthcheck', status: 'failed', reason: 'Timeout' });
  expect(Object.keys(second ?? {})).not.toContain('provider_ref');
});

test('without metrics the lines are written all the same', async () => {
  const { seen, lines } = await observed('off');
  seen.connectors.called(call);
  seen.connectors.circuit('orange-ci', 'OPEN');
  expect(lines).toHaveLength(1);
  expect(seen.metrics).toBeUndefined();
  expect(await seen.serveMetrics()).toBeUndefined();
});
