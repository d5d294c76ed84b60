import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import { DeadlineScheduler, type DueDeadline } from '../../src/actors/deadline-scheduler.ts';
import { Runtime, type Outcome } from '../../src/actors/runtime.ts';
import { caller, must, openWallets, p2p } from '../support/wallets.ts';

/** Proves that a deadline is met once, not early, and by whoever comes first. */
const day = 24 * 3_600_000;

async function heldPayment() {
  let now = new Date('2026-03-01T10:00:00Z');
  const runtime = new Runtime({ log: new MemoryLog(), now: () => now, terms: { holdMs: 7 * day } });
  await openWallets(runtime, { ada: 1_000n, ben: 0n });
  const { payment } = await must(runtime, { ...p2p('ada', 'ben', 300n, 'k1'), upTo: 'AUTHORIZED' });
  const paymentId = payment?.paymentId ?? '';
  const outcomes: Outcome[] = [];
  const due: DueDeadline[] = [{ paymentId, kind: 'expire' }];
  const scheduler = () =>
    new DeadlineScheduler({
      runtime,
      now: () => now,
      due: () => Promise.resolve(due),
      onOutcome: (_, outcome) => outcomes.push(outcome),
    });
  return { runtime, paymentId, outcomes, scheduler, pass: (ms: number) => (now = new Date(now.getTime() + ms)) };
}

describe('an expired hold', () => {
  it('is released, and the money is there again', async () => {
    const { runtime, paymentId, scheduler, pass } = await heldPayment();
    expect(await runtime.account('ada')).toMatchObject({ held: '300', available: '700' });
    pass(7 * day);
    expect(await scheduler().look()).toBe(1);
    expect(await runtime.payment(paymentId)).toMatchObject({ status: 'REVERSED' });
    expect(await runtime.account('ada')).toMatchObject({ held: '0', available: '1000' });
  });

  it('is not released a moment early, whatever the projection says', async () => {
    const { runtime, paymentId, outcomes, scheduler, pass } = await heldPayment();
    pass(7 * day - 1);
    expect(await scheduler().look()).toBe(0);
    expect(outcomes).toMatchObject([{ ok: false }]);
    expect(await runtime.payment(paymentId)).toMatchObject({ status: 'AUTHORIZED' });
  });

  it('is released once by two schedulers, and by one whose projection lags', async () => {
    const { runtime, scheduler, outcomes, pass } = await heldPayment();
    pass(7 * day);
    const [one, two] = [scheduler(), scheduler()];
    await Promise.all([one.look(), two.look()]);
    await one.look();
    expect(outcomes.map(({ ok, duplicate }) => [ok, duplicate])).toEqual([
      [true, false],
      [true, true],
    ]);
    expect(await runtime.account('ada')).toMatchObject({ held: '0', posted: '1000' });
  });

  it('cannot be captured any more, even when the scheduler is late', async () => {
    const { runtime, paymentId, pass } = await heldPayment();
    pass(7 * day);
    const capture = await runtime.execute({ type: 'Capture', idempotencyKey: 'c', paymentId }, caller);
    expect(capture).toMatchObject({ ok: false, refusal: { code: 'HoldExpired' } });
  });
});

describe('settlement', () => {
  it('of a captured merchant payment happens when it is due', async () => {
    let now = new Date('2026-03-01T10:00:00Z');
    const runtime = new Runtime({ log: new MemoryLog(), now: () => now });
    await openWallets(runtime, { ada: 1_000n });
    await must(runtime, {
      type: 'OpenAccount',
      idempotencyKey: 'shop',
      accountId: 'shop',
      walletType: 'merchant',
      currency: 'XOF',
      feeBps: 150,
    });
    const { payment } = await must(runtime, {
      ...p2p('ada', 'shop', 1_000n, 'k1'),
      kind: 'MERCHANT',
      upTo: 'CAPTURED',
    });
    const paymentId = payment?.paymentId ?? '';
    expect(await runtime.account('shop')).toMatchObject({ posted: '0' });
    now = new Date(payment?.settlesAt ?? '');
    const due = () => Promise.resolve([{ paymentId, kind: 'settle' }] as const);
    await new DeadlineScheduler({ runtime, now: () => now, due }).look();
    expect(await runtime.payment(paymentId)).toMatchObject({ status: 'SETTLED', fee: '15' });
    expect(await runtime.account('shop')).toMatchObject({ posted: '985' });
  });
});
