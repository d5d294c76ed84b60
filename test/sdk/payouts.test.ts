/** Services pay out, and operators open and close connectors, through the client: over http, and watched on the stream. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { granted, Kora, type PaymentEvent, type PaymentStatus } from '../../sdk/index.ts';
import { said, told } from '../support/instructions.ts';
import { openStage, type Stage } from './support/stage.ts';

let stage: Stage;
let kora: Kora;
let till: string;

beforeAll(async () => {
  stage = await openStage();
  kora = new Kora({ ...stage.urls, token: await stage.serviceToken() });
  till = granted(await kora.accounts.open({ type: 'treasury', currency: 'XOF' })).accountId;
  const funds = { kind: 'FUNDING', amount: 10_000n, currency: 'XOF', payee: till, provider: 'bank:AB' } as const;
  granted(await kora.payments.pay(funds));
});
afterAll(() => stage.close());

const newPayout = { provider: 'bank:AB', beneficiary: 'ben-1', currency: 'XOF' };

it('pays out once for a key, looks, lists, resolves, returns and cancels', async () => {
  const idempotencyKey = randomUUID();
  const made = granted(await kora.payouts.create({ ...newPayout, payer: till, amount: 300n }, { idempotencyKey }));
  expect(granted(await kora.payouts.create({ ...newPayout, payer: till, amount: 300n }, { idempotencyKey }))).toEqual(
    made,
  );
  const slice = made.slices[0]?.paymentId ?? '';
  await told(stage.kora.runtime, slice, 'unknown');
  const live = await kora.payments.cancel(slice);
  expect(live).toMatchObject({ ok: false, refusal: { code: 'InstructionLive', connector: 'bank-1' } });
  const resolution = { outcome: 'settled', providerRef: 'ref-1', providerFee: 2n } as const;
  expect(granted(await kora.payments.resolve(slice, resolution))).toMatchObject({
    status: 'SETTLED',
    providerFee: '2',
  });
  expect(granted(await kora.payments.return(slice, { amount: 100n }))).toMatchObject({ kind: 'PAYOUT_RETURN' });
  expect(granted(await kora.payouts.get(made.payoutId))).toMatchObject({
    status: 'settled',
    money: { settled: '300', returned: '100' },
    slices: [{ status: 'settled', providerRef: 'ref-1', attempts: 1 }],
  });

  const other = granted(await kora.payouts.create({ ...newPayout, payer: till, amount: 50n, rail: 'instant' }));
  expect(granted(await kora.payouts.cancel(other.payoutId, { reason: 'not wanted' }))).toMatchObject({
    state: 'CANCELLED',
  });
  const poor = await kora.payouts.create({ ...newPayout, payer: till, amount: 10n ** 9n });
  if (poor.ok) throw new Error('it was paid');
  expect(poor.refusal).toMatchObject({ code: 'InsufficientFunds', payoutId: expect.any(String) as string });

  await stage.kora.projected();
  const listed = [];
  for await (const { payoutId, status } of kora.payouts.list({ payer: till, limit: 2 }))
    listed.push([payoutId, status]);
  expect(listed).toEqual([
    [poor.refusal.payoutId, 'failed'],
    [other.payoutId, 'cancelled'],
    [made.payoutId, 'settled'],
  ]);
});

it('gives a payment’s events the status that it has, where they leave it as it is', async () => {
  const made = granted(await kora.payouts.create({ ...newPayout, payer: till, amount: 70n }));
  const slice = made.slices[0]?.paymentId ?? '';
  const stop = new AbortController();
  const seen: [string, PaymentStatus | undefined][] = [];
  const contradict = () => said(stage.kora.runtime, slice, { said: 'refused', code: 'declined', elsewhere: false });
  const watching = (async () => {
    for await (const news of kora.watch(`payment/${slice}`, { signal: stop.signal })) {
      if (news.type === 'snapshot') seen.push(['snapshot', news.state?.status]);
      if (news.type !== 'unit') continue;
      seen.push(...news.events.map(({ type, status }: PaymentEvent) => [type, status] as [string, PaymentStatus]));
      if (seen.some(([type]) => type === 'ProviderContradicted')) stop.abort();
      else if (seen.length === 1 + 3)
        void said(stage.kora.runtime, slice, { said: 'confirmed', providerRef: 'r' }).then(contradict);
    }
  })();
  while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await told(stage.kora.runtime, slice, { said: 'accepted', providerRef: 'r' });
  await watching;
  expect(seen).toEqual([
    ['snapshot', 'AUTHORIZED'],
    ['InstructionIssued', 'AUTHORIZED'],
    ['InstructionAccepted', 'AUTHORIZED'],
    ['PaymentCaptured', 'CAPTURED'],
    ['InstructionConfirmed', 'CAPTURED'],
    ['PaymentSettled', 'SETTLED'],
    ['ProviderContradicted', 'SETTLED'],
  ]);
});

it('watches payouts and connectors, and operates these', async () => {
  const made = granted(await kora.payouts.create({ ...newPayout, payer: till, amount: 40n }));
  const stop = new AbortController();
  const { signal } = stop;
  const payout = kora.watch(`payout/${made.payoutId}`, { signal })[Symbol.asyncIterator]();
  expect((await payout.next()).value).toMatchObject({ type: 'snapshot', state: { state: 'OPEN', amount: '40' } });
  granted(await kora.payouts.cancel(made.payoutId));
  expect((await payout.next()).value).toMatchObject({ events: [{ type: 'PayoutCancelled', status: 'CANCELLED' }] });

  const connector = kora.watch('connector/momo-1', { signal })[Symbol.asyncIterator]();
  expect((await connector.next()).value).toMatchObject({ type: 'snapshot', state: { state: 'CLOSED' } });
  const forced = granted(await kora.connectors.force('momo-1', { state: 'OPEN', reason: 'drill' }));
  expect(forced).toMatchObject({ state: 'OPEN', forced: true, reason: 'drill' });
  expect((await connector.next()).value).toMatchObject({ events: [{ type: 'BreakerForced', status: 'OPEN' }] });
  expect(granted(await kora.connectors.get('momo-1'))).toEqual(forced);
  await stage.kora.projected();
  expect(granted(await kora.connectors.list()).items).toEqual([forced]);
  expect(await kora.connectors.force('momo-1', { state: 'CLOSED', reason: 'over' })).toMatchObject({
    value: { state: 'CLOSED' },
  });
  stop.abort();
});
