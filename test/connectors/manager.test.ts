import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyReference, LocalBank, type Tracing } from '../../src/connectors/index.ts';
import { managing, parsed, profiles, restConfig, slice } from './support/manager.ts';
import { Provider } from './support/provider.ts';

/** Proves what the manager does for every kind: bounds, breaker, reports, and that a changed configuration loses no call. */
let provider: Provider;

beforeAll(async () => {
  provider = await Provider.start();
});
afterAll(() => provider.stop());

function localConfig(...connectors: readonly Record<string, unknown>[]): unknown {
  const all = connectors.map((more, index) => ({ id: `local-${index}`, type: 'local', profile: 'mtn-momo', ...more }));
  return { profiles, connectors: all };
}

describe('the bulkhead', () => {
  it('lets so many through, lets so many wait, and does not send the others, without a word to the breaker', async () => {
    const bank = new LocalBank();
    const { manager, breaker, calls } = managing({ bank });
    const limits = { concurrencyMax: 2, waitingMax: 1 };
    await manager.apply(parsed(localConfig({ limits, settings: { latencyMs: 50 } }), bank));
    const results = await Promise.all(Array.from({ length: 5 }, () => manager.send('local-0', slice())));
    const outcomes = results.map((result) => ('reason' in result ? result.reason : result.outcome)).sort();
    expect(outcomes).toEqual(['Busy', 'Busy', 'accepted', 'accepted', 'accepted']);
    expect(breaker.told.sort()).toEqual([
      ...Array<string>(2).fill('local-0 released'),
      ...Array<string>(3).fill('local-0 succeeded'),
    ]);
    expect(bank.payments()).toHaveLength(3);
    expect(calls).toHaveLength(3);
    await manager.close();
  });

  it('keeps places for questions that payments do not take', async () => {
    const bank = new LocalBank();
    const { manager } = managing({ bank });
    await manager.apply(parsed(localConfig({ limits: { concurrencyMax: 1, waitingMax: 0 } }), bank));
    bank.next({ latencyMs: 300 });
    const sending = manager.send('local-0', slice());
    const asking = manager.status('local-0', keyReference('nobody'), { traceId: 't' });
    expect(await asking).toEqual({ status: 'not_found' });
    await sending;
    await manager.close();
  });

  it('does not send what waited past sendBefore', async () => {
    const bank = new LocalBank();
    const { manager } = managing({ bank });
    await manager.apply(parsed(localConfig({ limits: { concurrencyMax: 1 } }), bank));
    bank.next({ latencyMs: 300 });
    const first = manager.send('local-0', slice());
    const second = slice({ sendBefore: new Date(Date.now() + 100).toISOString() });
    expect(await manager.send('local-0', second)).toEqual({ outcome: 'not_sent', reason: 'TooLate' });
    await first;
    expect(bank.find({ key: second.idempotencyKey })).toBeUndefined();
    await manager.close();
  });
});

describe('the breaker', () => {
  it('keeps payments from a connector, also when it opened after the selection, and questions not', async () => {
    const bank = new LocalBank();
    const { manager, breaker } = managing({ bank });
    await manager.apply(parsed(localConfig({ priority: 1 }, { priority: 2 }), bank));
    const wanted = { profile: 'mtn-momo', operation: 'disburse', currency: 'XOF', amount: 5n } as const;
    const ids = () => {
      const selection = manager.select(wanted);
      return selection.outcome === 'found' ? selection.candidates.map(({ id }) => id) : selection.outcome;
    };
    expect(ids()).toEqual(['local-0', 'local-1']);
    breaker.open.add('local-0');
    expect(ids()).toEqual(['local-1']);
    expect(await manager.send('local-0', slice())).toEqual({ outcome: 'not_sent', reason: 'BreakerOpen' });
    expect(await manager.status('local-0', keyReference('k'), { traceId: 't' })).toEqual({ status: 'not_found' });
    breaker.open.add('local-1');
    expect(ids()).toBe('none_now');
    expect(bank.payments()).toEqual([]);
    await manager.close();
  });

  it('hears every payment, and of questions only those that were not answered', async () => {
    const bank = new LocalBank();
    const { manager, breaker } = managing({ bank });
    await manager.apply(parsed(localConfig({}), bank));
    bank.next({}, { outcome: 'refused' }, { outcome: 'unknown' }, { outcome: 'not_sent' });
    for (let n = 0; n < 4; n += 1) await manager.send('local-0', slice());
    await manager.status('local-0', keyReference('k'), { traceId: 't' });
    await manager.health('local-0');
    bank.behave({ mute: true, healthy: false });
    await manager.status('local-0', keyReference('k'), { traceId: 't' });
    await manager.health('local-0');
    expect(breaker.told).toEqual([
      'local-0 succeeded',
      'local-0 succeeded',
      'local-0 failed: Timeout: as it is told to',
      'local-0 failed: ConnectFailed: as it is told to',
      'local-0 failed: Mute: as it is told to',
      'local-0 failed: Unhealthy',
    ]);
    await manager.close();
  });
});

describe('what is safe to do again', () => {
  it('is asking, until it is answered; each attempt is reported', async () => {
    const bank = new LocalBank();
    const { manager, calls } = managing({ bank, retry: { attempts: 3, initialDelayMs: 20, maxDelayMs: 40 } });
    await manager.apply(parsed(localConfig({}), bank));
    bank.behave({ mute: true });
    expect(await manager.status('local-0', keyReference('k'), { traceId: 't' })).toMatchObject({ status: 'unknown' });
    expect(calls.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
    const asking = manager.status('local-0', keyReference('k'), { traceId: 't' });
    bank.behave({});
    expect(await asking).toEqual({ status: 'not_found' });
    await manager.close();
  });

  it('is never sending', async () => {
    const bank = new LocalBank();
    const { manager, calls } = managing({ bank, retry: { attempts: 3, initialDelayMs: 1, maxDelayMs: 1 } });
    await manager.apply(parsed(localConfig({}), bank));
    bank.behave({ outcome: 'lost' });
    expect(await manager.send('local-0', slice())).toMatchObject({ outcome: 'unknown' });
    bank.behave({ outcome: 'not_sent' });
    expect(await manager.send('local-0', slice())).toMatchObject({ outcome: 'not_sent' });
    expect(calls).toHaveLength(2);
    await manager.close();
  });

  it('is not asking for a key where the provider cannot be asked by it', async () => {
    const { manager, calls, breaker } = managing();
    await manager.apply(parsed(localConfig({ capabilities: { findsByKey: false } })));
    expect(await manager.status('local-0', keyReference('k'), { traceId: 't' })).toEqual({
      status: 'unknown',
      reason: 'NotAskable: it does not find payments by our key',
    });
    expect([calls, breaker.told]).toEqual([[], []]);
    await manager.close();
  });
});

describe('a changed configuration', () => {
  it('gives a changed connector a new instance, and the call in flight its answer from the old one', async () => {
    await provider.behave({ latency: '400-400' });
    const { manager, troubles } = managing();
    expect(await manager.apply(parsed(restConfig(provider.url)))).toMatchObject({ added: ['mtn'] });
    const payment = slice();
    const sending = manager.send('mtn', payment);
    expect(await manager.apply(parsed(restConfig(provider.url)))).toMatchObject({ kept: ['mtn'], changed: [] });
    const nowhere = parsed(restConfig('http://127.0.0.1:9'));
    expect(await manager.apply(nowhere)).toMatchObject({ changed: ['mtn'], kept: [] });
    expect(await manager.send('mtn', slice())).toMatchObject({ outcome: 'not_sent' });
    expect(await sending).toMatchObject({ outcome: 'accepted', status: 'confirmed' });
    expect(await provider.payments(payment.idempotencyKey)).toHaveLength(1);
    await manager.close();
    expect(troubles).toEqual([]);
  });

  it('lets a removed connector finish, those that wait in its bulkhead too', async () => {
    const bank = new LocalBank();
    const { manager } = managing({ bank });
    const config = localConfig({ limits: { concurrencyMax: 1 }, settings: { latencyMs: 50 } });
    await manager.apply(parsed(config, bank));
    const sending = [1, 2, 3].map(() => manager.send('local-0', slice()));
    expect(await manager.apply(parsed(localConfig()))).toMatchObject({ removed: ['local-0'] });
    expect(await manager.send('local-0', slice())).toEqual({
      outcome: 'not_sent',
      reason: 'NoSuchConnector: local-0',
    });
    await manager.close();
    for (const each of sending) expect(await each).toMatchObject({ outcome: 'accepted' });
  });

  it('sees that a secret has changed', async () => {
    const env: Record<string, string> = { MTN_SECRET: 'one' };
    const { manager } = managing({ secrets: { env } });
    const config = parsed(restConfig(provider.url));
    await manager.apply(config);
    expect(await manager.apply(config)).toMatchObject({ kept: ['mtn'] });
    env['MTN_SECRET'] = 'two';
    expect(await manager.apply(config)).toMatchObject({ changed: ['mtn'] });
    await manager.close();
  });

  it('changes nothing when it is bad', async () => {
    await provider.behave();
    const { manager } = managing();
    await manager.apply(parsed(restConfig(provider.url)));
    const secretless = parsed(restConfig(provider.url, {}, { hmacSecret: 'env:NOT_THERE' }));
    await expect(manager.apply(secretless)).rejects.toThrow(
      'connectors[0].settings.hmacSecret: NOT_THERE is not set: export it',
    );
    expect(await manager.send('mtn', slice())).toMatchObject({ outcome: 'accepted' });
    await manager.close();
  });
});

describe('what is told of a call', () => {
  it('is in spans that nest as the specification names them', async () => {
    await provider.behave();
    const spans: string[] = [];
    let depth = 0;
    // One call at a time: then depth is nesting.
    const tracing: Tracing = {
      span: (name, _attributes, work) => {
        spans.push(`${'  '.repeat(depth)}${name}`);
        depth += 1;
        const result = work();
        if (result instanceof Promise) void result.finally(() => (depth -= 1)).catch(() => undefined);
        else depth -= 1;
        return result;
      },
    };
    const { manager } = managing({ tracing });
    await manager.apply(parsed(restConfig(provider.url)));
    await manager.send('mtn', slice());
    expect(spans.map((span) => span.trim())).toEqual([
      'manager.loadConnector',
      'connector.sendPayment',
      'hmac.sign',
      'http.post',
      'log.execution',
    ]);
    expect(spans.slice(0, 4)).toEqual(['manager.loadConnector', 'connector.sendPayment', '  hmac.sign', '  http.post']);
    await manager.close();
  });

  it('does not take the answer away where it cannot be written down', async () => {
    const { manager, troubles } = managing({
      observer: {
        called: () => {
          throw new Error('the disk is full');
        },
      },
    });
    await manager.apply(parsed(localConfig({})));
    expect(await manager.send('local-0', slice())).toMatchObject({ outcome: 'accepted' });
    expect(troubles).toEqual(['connector local-0: the observer of calls: Error: the disk is full']);
    await manager.close();
  });

  it('is health, at an interval, for all connectors', async () => {
    const bank = new LocalBank();
    const { manager } = managing({ bank, healthEveryMs: 20 });
    await manager.apply(parsed(localConfig({}, {}), bank));
    const health = () => manager.views().map((view) => view.health?.healthy);
    await expect.poll(health, { timeout: 20_000 }).toEqual([true, true]);
    bank.behave({ healthy: false });
    await expect.poll(health, { timeout: 20_000 }).toEqual([false, false]);
    await manager.close();
    expect(await manager.send('local-0', slice())).toEqual({ outcome: 'not_sent', reason: 'Stopping' });
  });
});
