import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram, Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { Counts } from './counts.ts';
import { type MetricsServer, startMetricsServer } from './metrics-server.ts';
import { Asked, gaugeOf } from './readings.ts';
import { Spread } from './spread.ts';

// What is counted in plain numbers is read as prom-client would have counted it; a database that is silent takes nothing
// else with it; and the port serves metrics and nothing else.

describe('counts', () => {
  it('are read as they are then, by label', async () => {
    const registry = new Registry();
    const counts = new Counts(registry, { name: 'kora_x_total', help: 'X', labels: ['type', 'outcome'] });
    const done = counts.of('Pay', 'done');
    done.value += 3;
    counts.of('Pay', 'done').value += 1;
    counts.of('Pay', 'refused');
    expect(await registry.metrics()).toBe(
      '# HELP kora_x_total X\n# TYPE kora_x_total counter\n' +
        'kora_x_total{type="Pay",outcome="done"} 4\nkora_x_total{type="Pay",outcome="refused"} 0\n',
    );
    done.value += 1;
    expect(await registry.metrics()).toContain('outcome="done"} 5');
  });

  it('do not grow without end, whatever is handed in as a label', async () => {
    const registry = new Registry();
    const counts = new Counts(registry, { name: 'kora_x_total', help: 'X', labels: ['route'] });
    for (let number = 0; number < 5_000; number++) counts.of(`/v1/${number}`).value += 1;
    const text = await registry.metrics();
    expect(text.split('\n').length).toBeLessThan(1_010);
    expect(text).toContain('kora_x_total{route="other"} 4000');
  });
});

describe('a spread', () => {
  it('is read as the histogram of prom-client', async () => {
    const bounds = [0.001, 0.01, 0.1, 1];
    const spec = { name: 'kora_x_seconds', help: 'X', labels: ['type'] };
    const [ours, theirs] = [new Registry(), new Registry()];
    const spread = new Spread(ours, { ...spec, bounds });
    const histogram = new Histogram({
      name: spec.name,
      help: spec.help,
      labelNames: spec.labels,
      buckets: bounds,
      registers: [theirs],
    });
    for (const value of [0, 0.001, 0.0011, 0.5, 1, 1.5, 100, 0.25]) {
      for (const type of ['Pay', 'Capture']) {
        spread.of(type).observe(value);
        histogram.observe({ type }, value);
      }
    }
    const sorted = async (registry: Registry): Promise<string[]> =>
      (await registry.metrics())
        .split('\n')
        .map((line) => line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(',').sort().join(',')}}`))
        .sort();
    expect(await sorted(ours)).toEqual(await sorted(theirs));
  });
});

describe('what is asked for', () => {
  const spec = { name: 'kora_lag', help: 'Lag', labels: ['projection'] } as const;
  const read = (lag: number): { labels: { projection: string }; value: number }[] => [
    { labels: { projection: 'accounts' }, value: lag },
  ];

  it('is asked once for all its gauges', async () => {
    const registry = new Registry();
    let asked = 0;
    const lag = new Asked(() => Promise.resolve(++asked), { onSilence: () => undefined });
    lag.gauge(registry, spec, read);
    lag.gauge(registry, { ...spec, name: 'kora_lag_seconds' }, read);
    expect(await registry.metrics()).toContain('kora_lag{projection="accounts"} 1');
    expect(await registry.metrics()).toContain('kora_lag_seconds{projection="accounts"} 2');
    expect(asked).toBe(2);
  });

  it('is left out where there is no answer, and is not asked again meanwhile', async () => {
    const registry = new Registry();
    let asked = 0;
    let answer: (lag: number) => void = () => undefined;
    const ask = (): Promise<number> => {
      asked += 1;
      return new Promise((resolve) => (answer = resolve));
    };
    new Asked(ask, { patienceMs: 20, onSilence: () => undefined }).gauge(registry, spec, read);
    gaugeOf(registry, { name: 'kora_residents', help: 'R', labels: [] }, () => [{ labels: {}, value: 7 }]);
    for (let scrape = 0; scrape < 3; scrape++) {
      const text = await registry.metrics();
      expect(text).toContain('kora_residents 7');
      expect(text).not.toContain('accounts');
    }
    expect(asked).toBe(1);
    answer(5);
    await sleep(0);
    const next = registry.metrics();
    answer(6);
    expect(await next).toContain('kora_lag{projection="accounts"} 6');
  });

  it('is left out, and told of, where the answer is an error', async () => {
    const registry = new Registry();
    const silences: unknown[] = [];
    const away = new Error('the database is away');
    new Asked(() => Promise.reject<number>(away), { onSilence: (error) => silences.push(error) }).gauge(
      registry,
      spec,
      read,
    );
    expect(await registry.metrics()).not.toContain('accounts');
    expect(silences).toEqual([away]);
  });
});

describe('the port of metrics', () => {
  let server: MetricsServer | undefined;
  afterEach(() => server?.close());
  const start = async (registry: Registry, errors: unknown[] = []): Promise<string> => {
    server = await startMetricsServer({ registry, host: '127.0.0.1', port: 0, onError: (error) => errors.push(error) });
    return `http://127.0.0.1:${server.port}`;
  };

  it('serves metrics of the process and of kora, also those that came later', async () => {
    const registry = new Registry();
    const origin = await start(registry);
    new Counts(registry, { name: 'kora_x_total', help: 'X', labels: [] }).of().value = 2;
    const answer = await fetch(`${origin}/metrics`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    expect(text).toContain('\nkora_x_total 2\n');
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
    expect(text).toMatch(/^process_resident_memory_bytes /m);
    expect((await fetch(`${origin}/metrics?x=1`, { method: 'HEAD' })).status).toBe(200);
  });

  it('serves nothing else', async () => {
    const origin = await start(new Registry());
    for (const path of ['/', '/metrics/', '/v1/accounts', '/health/ready'])
      expect((await fetch(`${origin}${path}`)).status).toBe(404);
    const posted = await fetch(`${origin}/metrics`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('says 500 where metrics cannot be read, and goes on', async () => {
    const registry = new Registry();
    const errors: unknown[] = [];
    let broken = true;
    gaugeOf(registry, { name: 'kora_x', help: 'X', labels: [] }, () => {
      if (broken) throw new Error('broken');
      return [];
    });
    const origin = await start(registry, errors);
    expect((await fetch(`${origin}/metrics`)).status).toBe(500);
    expect(errors).toHaveLength(1);
    broken = false;
    expect((await fetch(`${origin}/metrics`)).status).toBe(200);
  });

  it('does not wait for open connections when it ends', async () => {
    const origin = await start(new Registry());
    await (await fetch(`${origin}/metrics`)).text();
    const beganMs = performance.now();
    await server?.close();
    server = undefined;
    expect(performance.now() - beganMs).toBeLessThan(1_000);
  });
});
