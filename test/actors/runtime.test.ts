import { describe, expect, it } from 'vitest';
import { MemoryLog, MemoryStore, type RecordedUnit } from '../../eventstore/index.ts';
import { commandOf, defaultTerms } from '../../src/actors/requests.ts';
import { Runtime, UnitFailedError, type Outcome } from '../../src/actors/runtime.ts';
import { eventTypes, HeldLog, turns } from '../support/held-log.ts';
import { caller, cashIn, must, openWallets, p2p } from '../support/wallets.ts';

/**
 * Proves what the runtime promises: nothing leaves before it is durable, speculation never shows, a request is carried
 * out once however often and whenever it comes, and lost races are decided again.
 */
const posted = async (runtime: Runtime, id: string): Promise<string | undefined> => (await runtime.account(id))?.posted;

/** Watches a promise without waiting for it. */
function watch(promise: Promise<Outcome>): { outcome: Outcome | undefined } {
  const seen: { outcome: Outcome | undefined } = { outcome: undefined };
  void promise.then((outcome) => (seen.outcome = outcome));
  return seen;
}

describe('a payment', () => {
  it('goes through four states in one unit, and every account it touches is in that unit', async () => {
    const log = new MemoryLog();
    const runtime = new Runtime({ log });
    await openWallets(runtime, { ada: 1_000n, ben: 0n });
    const outcome = await must(runtime, p2p('ada', 'ben', 300n, 'k1'));
    expect(outcome).toMatchObject({ duplicate: false, payment: { status: 'SETTLED', captured: '300', version: 4 } });
    const unit = log.store.units.at(-1) as RecordedUnit;
    expect(unit.rows.map((row) => [row.stream, row.events.map((event) => event.type)])).toEqual([
      [
        `payment/${outcome.payment?.paymentId ?? ''}`,
        ['PaymentInitiated', 'PaymentAuthorized', 'PaymentCaptured', 'PaymentSettled'],
      ],
      ['account/ada', ['EntryPosted']],
      ['account/ben', ['EntryPosted']],
    ]);
    expect(outcome.position).toBe(unit.lastPosition);
    expect([await posted(runtime, 'ada'), await posted(runtime, 'ben')]).toEqual(['700', '300']);
  });

  it('carries who asked, and when, into the meta of its unit', async () => {
    const log = new MemoryLog();
    const runtime = new Runtime({ log, now: () => new Date('2026-03-01T10:00:00Z') });
    await openWallets(runtime, { ada: 1_000n });
    await runtime.execute(cashIn('ada', 5n, 'late'), { ...caller, effectiveAt: '2026-02-01T00:00:00.000Z' });
    expect(log.store.units.at(-1)?.meta).toEqual({
      ...caller,
      at: '2026-03-01T10:00:00.000Z',
      effectiveAt: '2026-02-01T00:00:00.000Z',
      commandId: expect.any(String) as string,
    });
  });
});

describe('nothing leaves before it is durable', () => {
  it('holds the answer back, and queries show the old state, until the commit', async () => {
    const log = new HeldLog();
    const runtime = new Runtime({ log });
    await openWallets(runtime, { ada: 1_000n, ben: 0n });
    log.hold();
    const answer = watch(runtime.execute(p2p('ada', 'ben', 300n, 'k1'), caller));
    await turns();
    expect(answer.outcome).toBeUndefined();
    expect(await posted(runtime, 'ada')).toBe('1000');
    log.release();
    await turns();
    expect(answer.outcome).toMatchObject({ ok: true });
    expect(await posted(runtime, 'ada')).toBe('700');
  });

  it('holds a refusal back that rests on a payment in flight, and records it in the log', async () => {
    const log = new HeldLog();
    const runtime = new Runtime({ log });
    await openWallets(runtime, { ada: 1_000n, ben: 0n });
    log.hold();
    const first = watch(runtime.execute(p2p('ada', 'ben', 800n, 'k1'), caller));
    const second = watch(runtime.execute(p2p('ada', 'ben', 800n, 'k2'), caller));
    await turns();
    expect([first.outcome, second.outcome]).toEqual([undefined, undefined]);
    log.release();
    await turns();
    expect(second.outcome).toMatchObject({
      ok: false,
      refusal: { code: 'InsufficientFunds', available: '200', asked: '800' },
      payment: { status: 'FAILED' },
    });
    expect(await eventTypes(log, 'account/ada')).toEqual([
      'AccountOpened',
      'EntryPosted',
      'EntryPosted',
      'PaymentRefused',
    ]);
  });

  it('decides a refusal again when the facts that it rested on fell', async () => {
    const log = new HeldLog();
    const runtime = new Runtime({ log });
    await openWallets(runtime, { ada: 1_000n, ben: 0n });
    const authorized = await must(runtime, { ...p2p('ada', 'ben', 800n, 'k1'), upTo: 'AUTHORIZED' });
    const paymentId = authorized.payment?.paymentId ?? '';
    log.hold();
    log.failNext = new Error('disk on fire');
    const reversed = runtime.execute({ type: 'Reverse', idempotencyKey: 'r', paymentId, reason: 'requested' }, caller);
    // Illegal on a reversed payment, legal on an authorized one: the reversal is only speculative.
    const captured = watch(runtime.execute({ type: 'Capture', idempotencyKey: 'c', paymentId }, caller));
    await turns();
    expect(captured.outcome).toBeUndefined();
    log.release();
    await expect(reversed).rejects.toThrow(UnitFailedError);
    await turns();
    expect(captured.outcome).toMatchObject({ ok: true, payment: { status: 'SETTLED' } });
  });
});

describe('the same request', () => {
  it('twice at once gives one payment and the same answer', async () => {
    const log = new HeldLog();
    const runtime = new Runtime({ log });
    await openWallets(runtime, { ada: 1_000n, ben: 0n });
    log.hold();
    const answers = [1, 2, 3].map(() => runtime.execute(p2p('ada', 'ben', 300n, 'k1'), caller));
    await turns();
    log.release();
    const [first, ...others] = await Promise.all(answers);
    expect(first).toMatchObject({ ok: true, duplicate: false });
    for (const other of others) {
      expect(other).toMatchObject({ ok: true, duplicate: true });
      expect(other.payment).toEqual(first?.payment);
    }
    expect(await posted(runtime, 'ada')).toBe('700');
  });

  it('after a crash gives the first answer, even when the payment has moved on since', async () => {
    const store = new MemoryStore();
    const before = new Runtime({ log: new MemoryLog({ store }) });
    await openWallets(before, { ada: 1_000n, ben: 0n });
    const pay = { ...p2p('ada', 'ben', 300n, 'k1'), upTo: 'AUTHORIZED' } as const;
    const first = await must(before, pay);
    const capture = {
      type: 'Capture',
      idempotencyKey: 'c1',
      paymentId: first.payment?.paymentId ?? '',
      amount: 100n,
    } as const;
    const second = await must(before, capture);

    const after = new Runtime({ log: new MemoryLog({ store }) });
    const units = store.units.length;
    expect(await after.execute(pay, caller)).toEqual({ ok: true, duplicate: true, payment: first.payment });
    expect(await after.execute(capture, caller)).toEqual({ ok: true, duplicate: true, payment: second.payment });
    expect(first.payment?.status).toBe('AUTHORIZED');
    expect(second.payment?.status).toBe('SETTLED');
    expect(store.units.length).toBe(units);
  });

  it('after a refusal gives the refusal again, even after a top-up', async () => {
    const runtime = new Runtime({ log: new MemoryLog() });
    await openWallets(runtime, { ada: 100n, ben: 0n });
    const first = await runtime.execute(p2p('ada', 'ben', 300n, 'k1'), caller);
    await must(runtime, cashIn('ada', 1_000n, 'top-up'));
    const again = await runtime.execute(p2p('ada', 'ben', 300n, 'k1'), caller);
    expect(again).toEqual({ ...first, duplicate: true, position: undefined });
    expect(again).toMatchObject({ ok: false, refusal: { code: 'InsufficientFunds', available: '100', asked: '300' } });
    expect(await must(runtime, p2p('ada', 'ben', 300n, 'k2'))).toMatchObject({ duplicate: false });
  });

  it('to fail a payment is carried out, and says so again', async () => {
    const runtime = new Runtime({ log: new MemoryLog() });
    await openWallets(runtime, { ada: 1_000n, ben: 0n });
    const { payment } = await must(runtime, { ...p2p('ada', 'ben', 300n, 'k1'), upTo: 'AUTHORIZED' });
    const fail = {
      type: 'Fail',
      idempotencyKey: 'f',
      paymentId: payment?.paymentId ?? '',
      reason: 'no answer',
    } as const;
    const first = await must(runtime, fail);
    expect(first.payment).toMatchObject({ status: 'FAILED', failure: { code: 'PaymentFailed', reason: 'no answer' } });
    expect(await must(runtime, fail)).toEqual({ ok: true, duplicate: true, payment: first.payment });
    expect(await runtime.account('ada')).toMatchObject({ held: '0', posted: '1000' });
  });

  it('with another body is refused, now and after a crash', async () => {
    const store = new MemoryStore();
    const before = new Runtime({ log: new MemoryLog({ store }) });
    await openWallets(before, { ada: 1_000n, ben: 0n });
    await must(before, p2p('ada', 'ben', 300n, 'k1'));
    for (const runtime of [before, new Runtime({ log: new MemoryLog({ store }) })]) {
      const outcome = await runtime.execute(p2p('ada', 'ben', 301n, 'k1'), caller);
      expect(outcome).toMatchObject({ ok: false, refusal: { code: 'IdempotencyConflict' } });
    }
    expect(await posted(before, 'ada')).toBe('700');
  });

  it('on an account is applied once, also when another process took it first', async () => {
    const store = new MemoryStore();
    const one = new Runtime({ log: new MemoryLog({ store }) });
    const two = new Runtime({ log: new MemoryLog({ store }) });
    await openWallets(one, { ada: 0n });
    await two.account('ada');
    const limit = { type: 'SetLimit', idempotencyKey: 'l', accountId: 'ada', limit: 50n, reason: 'test' } as const;
    const outcomes = await Promise.all([one.execute(limit, caller), two.execute(limit, caller)]);
    expect(outcomes.map(({ ok, duplicate }) => [ok, duplicate]).sort()).toEqual([
      [true, false],
      [true, true],
    ]);
    expect(outcomes[0].ok && outcomes[0].account).toEqual(outcomes[1].ok && outcomes[1].account);
    expect(await eventTypes(new MemoryLog({ store }), 'account/ada')).toEqual(['AccountOpened', 'AccountLimitSet']);
  });

  it('of a payment that this process has never heard of is found in the log before it is refused', async () => {
    const store = new MemoryStore();
    const one = new Runtime({ log: new MemoryLog({ store }) });
    await openWallets(one, { ada: 1_000n, ben: 0n });
    const first = await must(one, p2p('ada', 'ben', 300n, 'k1'));
    const two = new Runtime({ log: new MemoryLog({ store }) });
    // Decided on the assumption that it is new, this would be Invalid: the payee is unknown.
    const other = await two.execute(p2p('ada', 'nobody', 300n, 'k1'), caller);
    expect(other).toMatchObject({ ok: false, refusal: { code: 'IdempotencyConflict' } });
    expect((await two.execute(p2p('ada', 'ben', 300n, 'k1'), caller)).payment).toEqual(first.payment);
  });
});

describe('lost races', () => {
  it('are decided again on what the other process wrote: no wallet goes below its limit', async () => {
    const store = new MemoryStore();
    const held = new HeldLog(store);
    const one = new Runtime({ log: held });
    const two = new Runtime({ log: new MemoryLog({ store }) });
    await openWallets(one, { ada: 100n, ben: 0n });
    held.hold();
    // The design's example: A (−30) and B (−60, decided on A) wait; meanwhile the other process commits −80.
    const a = one.execute(p2p('ada', 'ben', 30n, 'a'), caller);
    const b = one.execute(p2p('ada', 'ben', 60n, 'b'), caller);
    await turns();
    await must(two, p2p('ada', 'ben', 80n, 'c'));
    held.release();
    const outcomes = await Promise.all([a, b]);
    expect(outcomes.map((outcome) => !outcome.ok && outcome.refusal.code)).toEqual([
      'InsufficientFunds',
      'InsufficientFunds',
    ]);
    expect(await posted(new Runtime({ log: new MemoryLog({ store }) }), 'ada')).toBe('20');
  });

  it('in a row end as Contended, with nothing written', async () => {
    const store = new MemoryStore();
    const rival = new Runtime({ log: new MemoryLog({ store }) });
    let round = 0;
    const log = new (class extends MemoryLog {
      // Between the decision and its commit somebody else always writes to the payer.
      override submit(...[unit, settled]: Parameters<MemoryLog['submit']>): 'queued' | 'overloaded' {
        void must(rival, cashIn('ada', 1n, `rival ${++round}`)).then(() => super.submit(unit, settled));
        return 'queued';
      }
    })({ store });
    await openWallets(rival, { ada: 100n, ben: 0n });
    const outcome = await new Runtime({ log, attemptsMax: 4 }).execute(p2p('ada', 'ben', 30n, 'a'), caller);
    expect(outcome).toMatchObject({ ok: false, refusal: { code: 'Contended' } });
    expect(round).toBe(4);
    expect(await posted(rival, 'ben')).toBe('0');
  });

  it('are learned of early when the runtime observes the log', async () => {
    const store = new MemoryStore();
    const one = new Runtime({ log: new MemoryLog({ store }) });
    const two = new Runtime({ log: new MemoryLog({ store }) });
    await openWallets(one, { ada: 100n });
    expect(await posted(two, 'ada')).toBe('100');
    await must(one, cashIn('ada', 11n, 'more'));
    two.observe(store.units.at(-1) as RecordedUnit);
    expect(await posted(two, 'ada')).toBe('111');
  });
});

describe('bounds', () => {
  it('keeps no more actors than it may, and wakes them again as they were', async () => {
    const log = new MemoryLog();
    const runtime = new Runtime({ log, residentsMax: 10 });
    const ids = Array.from({ length: 60 }, (_, index) => `w${index}`);
    await openWallets(runtime, Object.fromEntries(ids.map((id) => [id, 100n])));
    await Promise.all(
      ids.map((id, index) => must(runtime, p2p(id, ids[(index + 7) % ids.length] as string, 40n, `k${index}`))),
    );
    await turns();
    expect(runtime.residents).toBeLessThanOrEqual(10);
    for (const id of ids) expect(await posted(runtime, id)).toBe('100');
  });

  it('keeps wallets and open payments while those that have come to an end go, and answers for these as before', async () => {
    const runtime = new Runtime({ log: new MemoryLog(), residentsMax: 50 });
    await openWallets(runtime, { ada: 1_000n, ben: 0n });
    await turns();
    const before = runtime.residents;
    for (let n = 0; n < 40; n++) await must(runtime, p2p('ada', 'ben', 1n, `k${n}`));
    // A fifth of the places is for them, and one was taken by the payment that funded ada: the others stay free.
    expect(runtime.residents - before).toBe(9);
    expect(await must(runtime, p2p('ada', 'ben', 1n, 'k0'))).toMatchObject({ duplicate: true });
    expect(await posted(runtime, 'ben')).toBe('40');
  });

  it('refuses with Overloaded what would wait too long, and nothing of it is written', async () => {
    const log = new HeldLog();
    const runtime = new Runtime({ log, requestsMax: 2 });
    await openWallets(runtime, { ada: 1_000n, ben: 0n });
    log.hold();
    const taken = [1, 2].map((n) => runtime.execute(p2p('ada', 'ben', 1n, `k${n}`), caller));
    const third = await runtime.execute(p2p('ada', 'ben', 1n, 'k3'), caller);
    expect(third).toMatchObject({ ok: false, refusal: { code: 'Overloaded' } });
    log.release();
    await Promise.all(taken);
    expect(await posted(runtime, 'ben')).toBe('2');
    expect(await must(runtime, p2p('ada', 'ben', 1n, 'k3'))).toMatchObject({ duplicate: false });
  });

  it('drains: answers what is at work, refuses what comes later', async () => {
    const log = new HeldLog();
    const runtime = new Runtime({ log });
    await openWallets(runtime, { ada: 1_000n, ben: 0n });
    log.hold();
    const at_work = runtime.execute(p2p('ada', 'ben', 1n, 'k1'), caller);
    const drained = runtime.drain();
    const late = await runtime.execute(p2p('ada', 'ben', 1n, 'k2'), caller);
    expect(late).toMatchObject({ ok: false, refusal: { code: 'Overloaded' } });
    log.release();
    await drained;
    expect(await at_work).toMatchObject({ ok: true });
  });
});

describe('closing an account', () => {
  it('asks for the open payments that name it', async () => {
    const runtime = new Runtime({
      log: new MemoryLog(),
      openPaymentsOf: (id) => Promise.resolve(id === 'ada' ? 2 : 0),
    });
    await openWallets(runtime, { ada: 0n, ben: 0n });
    const close = (accountId: string) =>
      runtime.execute(
        { type: 'CloseAccount', idempotencyKey: `close ${accountId}`, accountId, reason: 'left' },
        caller,
      );
    expect(await close('ada')).toMatchObject({ ok: false, refusal: { code: 'AccountNotEmpty', openPayments: 2 } });
    expect(await close('ben')).toMatchObject({ ok: true, account: { status: 'CLOSED' } });
    // The count is not part of the command's identity: the same request again is the same request.
    expect(
      commandOf(
        { type: 'CloseAccount', idempotencyKey: 'x', accountId: 'a', reason: 'r' },
        caller,
        new Date(),
        defaultTerms,
      ),
    ).toMatchObject({ openPayments: 0 });
  });
});
