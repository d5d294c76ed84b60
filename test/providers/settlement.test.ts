import { afterEach, describe, expect, it } from 'vitest';
import { quiet, ScriptedBank, Stage } from './support/stage.ts';

/** Proves that the day of settlement settles what is ours, and only says of a provider's that it is overdue. */
describe('the day of settlement', () => {
  let stage: Stage;
  afterEach(async () => {
    await stage.dispatcher.stop();
    expect(stage.errors).toEqual([]);
  });
  const day = 86_400_000;

  it('of a collection: it is overdue, once; only the proof settles it, with the cost that the proof says', async () => {
    stage = new Stage(new ScriptedBank().says({ status: 'confirmed', providerRef: 'ref-one' }));
    await stage.cashOut();
    const collect = {
      type: 'Pay',
      kind: 'CASH_IN',
      amount: 200n,
      currency: 'XOF',
      payee: 'ada',
      provider: 'momo',
    } as const;
    const { payment } = await stage.must({ ...collect, upTo: 'AUTHORIZED' } as never);
    const id = payment?.paymentId ?? '';
    stage.dispatcher.start();
    await quiet();
    expect(await stage.status(id)).toBe('CAPTURED settled');
    expect((await stage.books())['receivable:momo:XOF']).toBe(-200n);

    stage.due.push({ paymentId: id, kind: 'settle' });
    await stage.clock.pass(day - 60_000);
    expect(await stage.scheduler.look()).toBe(0);
    await stage.clock.pass(120_000);
    expect(await stage.scheduler.look()).toBe(1);
    await stage.clock.pass(120_000);
    expect(await stage.scheduler.look()).toBe(1);
    expect((await stage.facts(id)).filter((fact) => fact === 'SettlementOverdue')).toHaveLength(1);
    expect(await stage.status(id)).toBe('CAPTURED settled');

    stage.bank.says({ status: 'settled', providerRef: 'ref-one', providerFee: '5' });
    await stage.clock.pass(600_000);
    expect(await stage.status(id)).toBe('SETTLED settled');
    const {
      'receivable:momo:XOF': receivable = 0n,
      'float:momo:XOF': float,
      'cost:momo:XOF': cost,
    } = await stage.books();
    // Of the cash-out 400 and 3 have left; of the collection 195 have come, and 5 were kept.
    expect([receivable, float, cost]).toEqual([0n, 403n - 195n, -8n]);
  });

  it('of a collection: whoever asks out of turn has the proof at once', async () => {
    stage = new Stage(new ScriptedBank().says({ status: 'confirmed', providerRef: 'ref-one' }));
    await stage.cashOut();
    const collect = { type: 'Pay', kind: 'CASH_IN', amount: 200n, currency: 'XOF', payee: 'ada', provider: 'momo' };
    const { payment } = await stage.must({ ...collect, upTo: 'AUTHORIZED' } as never);
    const id = payment?.paymentId ?? '';
    const ask = () => stage.dispatcher.askNow(id);
    expect(await ask()).toMatchObject({
      outcome: 'refused',
      code: 'NotAskable',
      message: 'no connector was ever told of it',
    });
    stage.dispatcher.start();
    await quiet();
    expect(await stage.status(id)).toBe('CAPTURED settled');
    expect(await ask()).toEqual({ outcome: 'asked', said: 'confirmed' });
    const facts = await stage.facts(id);
    // Not found is one answer: whether it is the end of it, only the rules say.
    stage.bank.says({ status: 'not_found' });
    expect(await ask()).toEqual({ outcome: 'asked', said: 'not_found' });
    stage.bank.says({ status: 'unknown', reason: 'Timeout' });
    expect(await ask()).toEqual({ outcome: 'asked', said: 'unknown' });
    expect(await stage.facts(id)).toEqual(facts);

    stage.bank.closedDoors.add('one');
    const asked = stage.bank.asked.length;
    expect(await ask()).toMatchObject({ outcome: 'refused', message: 'not now: the breaker of one is open' });
    expect(stage.bank.asked).toHaveLength(asked);
    stage.bank.closedDoors.clear();

    stage.bank.says({ status: 'settled', providerRef: 'ref-one', providerFee: '5' });
    expect(await ask()).toEqual({ outcome: 'asked', said: 'settled' });
    expect(await stage.status(id)).toBe('SETTLED settled');
    const settled = await stage.facts(id);
    // Asked again it is the same, and nothing new.
    expect(await ask()).toEqual({ outcome: 'asked', said: 'settled' });
    expect(await stage.facts(id)).toEqual(settled);
    expect(await stage.dispatcher.askNow('nobody')).toMatchObject({ outcome: 'refused', code: 'NotFound' });
  });

  it('of a purchase: it settles', async () => {
    stage = new Stage();
    await stage.cashOut();
    await stage.must({
      type: 'OpenAccount',
      walletType: 'merchant',
      currency: 'XOF',
      accountId: 'shop',
      feeBps: 100,
    } as never);
    const buy = { type: 'Pay', kind: 'MERCHANT', amount: 300n, currency: 'XOF', payer: 'ada', payee: 'shop' } as const;
    const { payment } = await stage.must({ ...buy, upTo: 'CAPTURED' } as never);
    const id = payment?.paymentId ?? '';
    stage.due.push({ paymentId: id, kind: 'settle' });
    await stage.clock.pass(day + 1_000);
    expect(await stage.scheduler.look()).toBe(1);
    expect(await stage.facts(id)).toEqual(['Initiated', 'Authorized', 'Captured', 'Settled']);
    expect(await stage.books()).toMatchObject({ shop: 297n, 'fees:XOF': 3n });
  });
});
