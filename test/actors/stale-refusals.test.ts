import { describe, expect, it } from 'vitest';
import { MemoryLog, MemoryStore } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { caller, must, openWallets, p2p } from '../support/wallets.ts';

/**
 * Proves that no refusal rests on what another process has made out of date: what was acknowledged anywhere is known
 * everywhere, also before the news of it has come. (Here it never comes: nobody tells these runtimes of foreign units.)
 */
async function twoProcesses(): Promise<{ one: Runtime; other: Runtime }> {
  const store = new MemoryStore();
  const one = new Runtime({ log: new MemoryLog({ store }) });
  const other = new Runtime({ log: new MemoryLog({ store }) });
  await openWallets(one, { ada: 1_000n, ben: 0n });
  const shop = { idempotencyKey: 'open shop', accountId: 'shop', walletType: 'merchant', currency: 'XOF' } as const;
  await must(one, { type: 'OpenAccount', ...shop });
  return { one, other };
}

describe('a process that has an actor in memory, which another one has moved on', () => {
  it('settles what was captured there', async () => {
    const { one, other } = await twoProcesses();
    const purchase = { ...p2p('ada', 'shop', 100n, 'buy'), kind: 'MERCHANT', upTo: 'AUTHORIZED' } as const;
    const { payment } = await must(one, purchase);
    const paymentId = payment?.paymentId ?? '';
    expect(await other.payment(paymentId)).toMatchObject({ status: 'AUTHORIZED' });
    await must(one, { type: 'Capture', idempotencyKey: 'capture', paymentId });
    const settled = await must(other, { type: 'Settle', idempotencyKey: 'settle', paymentId });
    expect(settled.payment).toMatchObject({ status: 'SETTLED' });
  });

  it('pays into a wallet that was opened there', async () => {
    const { one, other } = await twoProcesses();
    expect(await other.account('cem')).toBeUndefined();
    const cem = { idempotencyKey: 'open cem', accountId: 'cem', walletType: 'customer', currency: 'XOF' } as const;
    await must(one, { type: 'OpenAccount', ...cem });
    expect((await must(other, p2p('ada', 'cem', 10n, 'gift'))).payment).toMatchObject({ status: 'SETTLED' });
  });

  it('still refuses what is illegal, and says in which state', async () => {
    const { one, other } = await twoProcesses();
    const { payment } = await must(one, { ...p2p('ada', 'ben', 100n, 'hold'), upTo: 'AUTHORIZED' });
    const paymentId = payment?.paymentId ?? '';
    expect(await other.payment(paymentId)).toMatchObject({ status: 'AUTHORIZED' });
    await must(one, { type: 'Reverse', idempotencyKey: 'reverse', paymentId, reason: 'requested' });
    const outcome = await other.execute({ type: 'Settle', idempotencyKey: 'settle', paymentId }, caller);
    expect(outcome).toMatchObject({ ok: false, refusal: { code: 'IllegalTransition', state: 'REVERSED' } });
  });

  it('does not refuse on a unit of its own that was moved on before its answer came', async () => {
    const store = new MemoryStore();
    const log = new LateAnswers({ store });
    const [one, other] = [new Runtime({ log }), new Runtime({ log: new MemoryLog({ store }) })];
    const cem = { idempotencyKey: 'open cem', accountId: 'cem', walletType: 'customer', currency: 'XOF' } as const;
    log.isLate = true;
    const opened = must(one, { type: 'OpenAccount', ...cem });
    await expect.poll(() => store.last).toBeGreaterThan(0);
    const on = { accountId: 'cem', reason: 'checked' };
    await must(other, { type: 'FreezeAccount', ...on, idempotencyKey: 'freeze' });
    // Here the wallet is open, and that it was opened is not answered yet.
    const unfrozen = one.execute({ type: 'UnfreezeAccount', ...on, idempotencyKey: 'unfreeze' }, caller);
    await new Promise((resolve) => setImmediate(resolve));
    log.answer();
    await opened;
    expect(await unfrozen).toMatchObject({ ok: true, account: { status: 'OPEN' } });
  });
});

/** Commits at once, and says so when it is told to. */
class LateAnswers extends MemoryLog {
  isLate = false;
  #answers: (() => void)[] = [];

  override submit(...[unit, settled]: Parameters<MemoryLog['submit']>): ReturnType<MemoryLog['submit']> {
    return super.submit(unit, (result) => {
      if (this.isLate) this.#answers.push(() => settled(result));
      else settled(result);
    });
  }

  answer(): void {
    this.isLate = false;
    for (const answer of this.#answers.splice(0)) answer();
  }
}
