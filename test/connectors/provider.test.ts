import { readdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signRequest } from '../../src/connectors/rest/signature.ts';
import type { ConnectorManager } from '../../src/connectors/index.ts';
import { managing, parsed, restConfig, slice } from './support/manager.ts';
import { Provider, providerSecret } from './support/provider.ts';

/** Proves that the provider to play with keeps books that can be compared with ours, and is as unkind as it is told to be. */
let provider: Provider;
let manager: ConnectorManager;
let reports: string;

beforeAll(async () => {
  reports = await mkdtemp(join(tmpdir(), 'kora-reports-'));
  provider = await Provider.start('--reports', reports, '--fee', '150', '--fee-fixed', '2', '--seed', '7');
  ({ manager } = managing());
  await manager.apply(parsed(restConfig(provider.url)));
});
afterAll(async () => {
  await manager.close();
  await provider.stop();
  await rm(reports, { recursive: true });
});

describe('the provider', () => {
  it('counts the money that has moved, its fees, and settles it with a report at the day’s end', async () => {
    const [out, back] = [slice({ amount: '1000' }), slice({ amount: '333', operation: 'collect' })];
    for (const each of [out, back]) expect(await manager.send('mtn', each)).toMatchObject({ outcome: 'accepted' });
    expect(await provider.totals()).toMatchObject({
      payments: 2,
      pending: 0,
      moved: {
        XOF: {
          disbursed: { count: 1, amount: '1000', fees: '17' },
          collected: { count: 1, amount: '333', fees: '7' },
        },
      },
      doubles: [],
    });
    const lines = parse(await provider.settle(), { columns: true }) as unknown as Record<string, string>[];
    expect(lines.map(({ reference, operation, net }) => [reference, operation, net])).toEqual([
      [out.idempotencyKey, 'disburse', '-1017'],
      [back.idempotencyKey, 'collect', '326'],
    ]);
    expect(await readdir(reports)).toEqual(['settlement-00001.csv']);
    // What is settled is not in the next report.
    expect(parse(await provider.settle(), { columns: true })).toEqual([]);
  });

  it('pays twice when it is told not to honour keys, and says so', async () => {
    await provider.behave({ idempotency: false });
    const payment = slice();
    for (let n = 0; n < 2; n += 1) await manager.send('mtn', payment);
    const { doubles } = await provider.totals();
    expect(doubles).toMatchObject([
      { reference: payment.idempotencyKey, ids: [expect.any(String), expect.any(String)] },
    ]);
    await provider.behave();
  });

  it('errs for the same payments with the same seed, in whatever order they come', async () => {
    const payments = Array.from({ length: 20 }, (_, n) => slice({ idempotencyKey: `seeded-${n}` }));
    const outcomes = async (seed: string, sent: readonly (typeof payments)[number][]) => {
      const other = await Provider.start('--seed', seed, '--errors', '0.5');
      const managed = managing();
      await managed.manager.apply(parsed(restConfig(other.url)));
      const results = new Map<string, string>();
      for (const each of sent) results.set(each.idempotencyKey, (await managed.manager.send('mtn', each)).outcome);
      await managed.manager.close();
      await other.stop();
      return payments.map(({ idempotencyKey }) => results.get(idempotencyKey));
    };
    const [one, again, another] = await Promise.all([
      outcomes('3', payments),
      outcomes('3', payments.toReversed()),
      outcomes('4', payments),
    ]);
    expect(again).toEqual(one);
    expect(another).not.toEqual(one);
    expect(new Set(one)).toEqual(new Set(['accepted', 'unknown']));
  });

  it('refuses what is not signed, signed for something else, stale, or comes again', async () => {
    const ask = async (headers: Record<string, string>) =>
      await (await fetch(`${provider.url}/health`, { headers })).json();
    const signed = (more: { timestamp?: number; path?: string } = {}) => {
      const [timestamp, nonce] = [String(more.timestamp ?? Date.now()), `nonce-${Math.random()}`];
      const what = { method: 'GET', path: more.path ?? '/health', timestamp, nonce, body: '' };
      const signature = signRequest(providerSecret, what);
      return { 'x-timestamp': timestamp, 'x-nonce': nonce, 'x-signature': signature };
    };
    const once = signed();
    expect(await ask(once)).toEqual({ status: 'up' });
    expect(await ask(once)).toEqual({ status: 'refused', code: 'ReplayedNonce' });
    expect(await ask({})).toEqual({ status: 'refused', code: 'BadSignature' });
    expect(await ask(signed({ path: '/payments' }))).toEqual({ status: 'refused', code: 'BadSignature' });
    expect(await ask(signed({ timestamp: Date.now() - 3_600_000 }))).toEqual({
      status: 'refused',
      code: 'StaleTimestamp',
    });
  });

  it('is out of order as it is told to, and back afterwards', async () => {
    await provider.outage('error');
    expect(await manager.send('mtn', slice())).toEqual({ outcome: 'unknown', reason: 'Unreadable: status 500' });
    await provider.outage('refuse');
    expect(await manager.send('mtn', slice())).toMatchObject({ outcome: 'not_sent' });
    await provider.outage('none');
    expect(await manager.send('mtn', slice())).toMatchObject({ outcome: 'accepted' });
  });
});
