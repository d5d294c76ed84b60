import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { MemoryLog, MemoryStore } from '../../eventstore/index.ts';
import { commandIdOf } from '../../src/kernel/ids.ts';
import type { KoraRequest } from '../../src/actors/requests.ts';
import { Runtime, type Outcome } from '../../src/actors/runtime.ts';
import { HeldLog, turns } from '../support/held-log.ts';
import { caller, must, openWallets, p2p } from '../support/wallets.ts';

/**
 * Proves that an idempotency key does one thing for ever: used on another target it is refused, by the process that used
 * it first, by another one, by both at once, after a restart; and that machine-made deadlines need no key.
 */
const idOf = (key: string): string => commandIdOf(caller.tenant, caller.principal, key);
const authorized = (payer: string, payee: string, key: string): KoraRequest => ({
  ...p2p(payer, payee, 10n, key),
  upTo: 'AUTHORIZED',
});
const capture = (paymentKey: string, idempotencyKey: string): KoraRequest => ({
  type: 'Capture',
  idempotencyKey,
  paymentId: idOf(paymentKey),
});
const conflict = (target: string) => ({
  ok: false,
  refusal: {
    code: 'IdempotencyConflict',
    message: `this idempotency key was used for something else, on payment ${idOf(target)}`,
  },
});

async function twoPayments(runtime: Runtime): Promise<void> {
  await openWallets(runtime, { ada: 1_000n, ben: 0n });
  await must(runtime, authorized('ada', 'ben', 'P'));
  await must(runtime, authorized('ada', 'ben', 'Q'));
}

describe('the same key on two payments', () => {
  it('is refused on the second one: capture P, then capture Q', async () => {
    const runtime = new Runtime({ log: new MemoryLog() });
    await twoPayments(runtime);
    await must(runtime, capture('P', 'k'));
    expect(await runtime.execute(capture('Q', 'k'), caller)).toMatchObject(conflict('P'));
    expect(await runtime.payment(idOf('Q'))).toMatchObject({ status: 'AUTHORIZED' });
    // On the first one it is the first answer again.
    expect(await runtime.execute(capture('P', 'k'), caller)).toMatchObject({ ok: true, duplicate: true });
  });

  it('is refused after a restart', async () => {
    const store = new MemoryStore();
    const before = new Runtime({ log: new MemoryLog({ store }) });
    await twoPayments(before);
    await must(before, capture('P', 'k'));
    const after = new Runtime({ log: new MemoryLog({ store }) });
    expect(await after.execute(capture('Q', 'k'), caller)).toMatchObject(conflict('P'));
    expect(await after.execute({ ...capture('Q', 'P') }, caller)).toMatchObject(conflict('P'));
  });

  it('is refused for one of two that come at once, when the other is durable', async () => {
    const log = new HeldLog();
    const runtime = new Runtime({ log });
    await twoPayments(runtime);
    log.hold();
    const answers: Outcome[] = [];
    for (const payment of ['P', 'Q']) {
      void runtime.execute(capture(payment, 'k'), caller).then((outcome) => answers.push(outcome));
    }
    await turns();
    expect(answers).toEqual([]);
    log.release();
    await turns();
    expect(answers).toMatchObject([{ ok: true }, conflict('P')]);
  });

  it('is refused for one of two processes (decide, decide, commit, commit)', async () => {
    const store = new MemoryStore();
    const [one, other] = [new HeldLog(store), new HeldLog(store)];
    const [first, second] = [new Runtime({ log: one }), new Runtime({ log: other })];
    await twoPayments(first);
    // Both know the payments and the wallets, and neither knows of the other's command.
    for (const payment of ['P', 'Q']) await second.payment(idOf(payment));
    one.hold();
    other.hold();
    const answers = [first.execute(capture('P', 'k'), caller), second.execute(capture('Q', 'k'), caller)];
    await turns();
    other.release();
    await turns();
    one.release();
    expect(await Promise.all(answers)).toMatchObject([conflict('Q'), { ok: true }]);
  });

  it('is decided on states that fit together, though another process has moved some of them on', async () => {
    const store = new MemoryStore();
    const [first, second] = [0, 1].map(() => new Runtime({ log: new MemoryLog({ store }) })) as [Runtime, Runtime];
    await openWallets(first, { ada: 1_000n, ben: 0n });
    // The other process knows the wallet as it was before the hold, and reads the payment as it is after it.
    await second.account('ada');
    await must(first, authorized('ada', 'ben', 'P'));
    expect(await second.execute(capture('P', 'k'), caller)).toMatchObject({ ok: true, payment: { status: 'SETTLED' } });
  });

  it('is as good as new for another caller', async () => {
    const runtime = new Runtime({ log: new MemoryLog() });
    await twoPayments(runtime);
    await must(runtime, capture('P', 'k'));
    const stranger = { ...caller, principal: 'service:other' };
    expect(await runtime.execute(capture('Q', 'k'), stranger)).toMatchObject({ ok: true, duplicate: false });
  });
});

describe('the same key for a step and then for a Pay', () => {
  const pays = (key: string): KoraRequest => p2p('ada', 'ben', 10n, key);

  it('is refused, and the payment is not made', async () => {
    const runtime = new Runtime({ log: new MemoryLog() });
    await twoPayments(runtime);
    await must(runtime, capture('P', 'k'));
    expect(await runtime.execute(pays('k'), caller)).toMatchObject(conflict('P'));
    expect(await runtime.payment(idOf('k'))).toBeUndefined();
    expect(await runtime.execute(capture('P', 'k'), caller)).toMatchObject({ ok: true, duplicate: true });
  });

  it('is refused after a restart, and where the key opened an account', async () => {
    const store = new MemoryStore();
    const before = new Runtime({ log: new MemoryLog({ store }) });
    await twoPayments(before);
    await must(before, capture('P', 'k'));
    await must(before, { type: 'FreezeAccount', idempotencyKey: 'f', accountId: 'ben', reason: 'r' });
    const after = new Runtime({ log: new MemoryLog({ store }) });
    expect(await after.execute(pays('k'), caller)).toMatchObject(conflict('P'));
    expect(await after.execute(pays('f'), caller)).toMatchObject({
      refusal: { code: 'IdempotencyConflict', message: expect.stringContaining('account ben') as string },
    });
  });

  it('is refused while the step is not durable yet', async () => {
    const log = new HeldLog();
    const runtime = new Runtime({ log });
    await twoPayments(runtime);
    log.hold();
    const step = runtime.execute(capture('P', 'k'), caller);
    await turns();
    const pay = runtime.execute(pays('k'), caller);
    await turns();
    log.release();
    expect(await Promise.all([step, pay])).toMatchObject([{ ok: true }, conflict('P')]);
  });

  it.each([
    ['the step first', 0],
    ['the Pay first', 1],
  ])('is refused for one of two processes (decide, decide, commit, commit): %s', async (_, order) => {
    const store = new MemoryStore();
    const logs = [new HeldLog(store), new HeldLog(store)] as const;
    const [first, second] = [new Runtime({ log: logs[0] }), new Runtime({ log: logs[1] })];
    await twoPayments(first);
    await second.payment(idOf('P'));
    await Promise.all(['ada', 'ben'].map((id) => second.account(id)));
    for (const log of logs) log.hold();
    const answers = [first.execute(capture('P', 'k'), caller), second.execute(pays('k'), caller)];
    await turns();
    for (const log of order === 0 ? logs : [...logs].reverse()) {
      log.release();
      await turns();
    }
    const done = await Promise.all(answers);
    expect(done.map(({ ok }) => ok)).toEqual([order === 0, order === 1]);
    expect(done[1 - order]).toMatchObject(conflict(order === 0 ? 'P' : 'k'));
  });
});

const asked = fc.record({ process: fc.nat(1), payment: fc.nat(3), key: fc.nat(2), turn: fc.boolean() });

describe('any use of few keys on few payments by two processes', () => {
  test.prop([fc.array(asked, { minLength: 4, maxLength: 30 })], { numRuns: 200 })(
    'carries each key out on one payment at most',
    async (all) => {
      const store = new MemoryStore();
      const runtimes = [0, 1].map(() => new Runtime({ log: new MemoryLog({ store }), residentsMax: 8 }));
      const [first] = runtimes as [Runtime, Runtime];
      await openWallets(first, { ada: 1_000n, ben: 0n });
      for (let payment = 0; payment < 4; payment++) await must(first, authorized('ada', 'ben', `P${payment}`));
      const before = store.units.length;
      const answers: Promise<{ key: number; payment: number; outcome: Outcome }>[] = [];
      for (const { process, payment, key, turn } of all) {
        const runtime = runtimes[process] as Runtime;
        const work = runtime.execute(capture(`P${payment}`, `k${key}`), caller);
        answers.push(work.then((outcome) => ({ key, payment, outcome })));
        if (turn) await turns(1);
      }
      const done = await Promise.all(answers);
      const targets = new Map<number, number>();
      for (const { key, payment, outcome } of done.filter(({ outcome: { ok } }) => ok)) {
        expect(outcome).toMatchObject({ payment: { paymentId: idOf(`P${payment}`) } });
        expect(targets.get(key) ?? payment).toBe(payment);
        targets.set(key, payment);
      }
      for (const { key, payment, outcome } of done) {
        if (outcome.ok) continue;
        // Either the key was another payment's, or the payment was captured by another key.
        const { code } = outcome.refusal;
        expect(code === 'IdempotencyConflict' ? targets.get(key) : code).not.toBe(payment);
        expect(['IdempotencyConflict', 'IllegalTransition', 'Contended']).toContain(code);
      }
      const isCapture = ({ type }: { readonly type: string }): boolean => type === 'PaymentCaptured';
      const captures = store.units
        .slice(before)
        .filter(({ rows }) => rows.some(({ events }) => events.some(isCapture)));
      expect(captures).toHaveLength(targets.size);
    },
  );
});
