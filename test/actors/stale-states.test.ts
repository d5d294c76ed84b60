import { describe, expect, it } from 'vitest';
import { MemoryLog, MemoryStore } from '../../eventstore/index.ts';
import type { OpenAccountRequest } from '../../src/actors/requests.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { HeldLog, turns } from '../support/held-log.ts';
import { caller, cashIn, must, openWallets, p2p } from '../support/wallets.ts';

/**
 * Proves that what is not fenced by an expected version is right all the same: refusals that leave nothing, and units that
 * look at a wallet and leave it alone. The simulation found each of these.
 */
const open = (accountId: string): OpenAccountRequest => ({
  type: 'OpenAccount',
  idempotencyKey: `open ${accountId}`,
  accountId,
  walletType: 'customer',
  currency: 'XOF',
});

describe('with another process on the same log', () => {
  it('the same request in both at once gets one answer', async () => {
    const store = new MemoryStore();
    const held = new HeldLog(store);
    held.hold();
    const slow = new Runtime({ log: held }).execute(open('ada'), caller);
    await turns();
    const first = await must(new Runtime({ log: new MemoryLog({ store }) }), open('ada'));
    held.release();
    expect(await slow).toEqual({ ok: true, duplicate: true, account: first.account });
  });

  it('the same request in both gets one answer when its account is read after its key', async () => {
    const store = new MemoryStore();
    const log = new MemoryLog({ store });
    const readLast = log.readLast.bind(log);
    const { promise: carriedOut, resolve: release } = Promise.withResolvers<undefined>();
    let reads = 0;
    // The payment's read of the account comes to the store late; the request waits for the same read, and reads its key.
    log.readLast = (streams) => (reads++ === 0 ? carriedOut.then(() => readLast(streams)) : readLast(streams));
    const here = new Runtime({ log });
    const paid = here.execute(cashIn('ada', 5n, 'k1'), caller);
    await turns();
    const slow = here.execute(open('ada'), caller);
    await turns();
    const first = await must(new Runtime({ log: new MemoryLog({ store }) }), open('ada'));
    release(undefined);
    expect(await slow).toEqual({ ok: true, duplicate: true, account: first.account });
    expect(await paid).toMatchObject({ ok: true });
  });

  it('a request that was refused here, and was carried out there, is not refused again', async () => {
    const store = new MemoryStore();
    const [here, there] = [0, 1].map(() => new Runtime({ log: new MemoryLog({ store }) })) as [Runtime, Runtime];
    expect(await here.execute(p2p('ada', 'ben', 5n, 'k1'), caller)).toMatchObject({ refusal: { code: 'NotFound' } });
    await openWallets(there, { ada: 10n, ben: 0n });
    const { payment } = await must(there, p2p('ada', 'ben', 5n, 'k1'));
    expect(await must(here, p2p('ada', 'ben', 5n, 'k1'))).toEqual({ ok: true, duplicate: true, payment });
  });

  it('a step is not refused for a state that the payment has left', async () => {
    const store = new MemoryStore();
    const [here, there] = [0, 1].map(() => new Runtime({ log: new MemoryLog({ store }) })) as [Runtime, Runtime];
    await openWallets(here, { ada: 10n });
    const { payment } = await must(here, { ...cashIn('ada', 5n, 'k1'), upTo: 'INITIATED' });
    const on = { paymentId: payment?.paymentId ?? '' };
    await must(there, { type: 'Authorize', ...on, idempotencyKey: 'k2' });
    const captured = await must(here, { type: 'Capture', ...on, idempotencyKey: 'k3' });
    expect(captured.payment?.status).toBe('CAPTURED');
  });
});

describe('a payment that is authorized where its payer was looked for before it was opened elsewhere', () => {
  it('holds what it says', async () => {
    const store = new MemoryStore();
    const [here, there] = [0, 1].map(() => new Runtime({ log: new MemoryLog({ store }) })) as [Runtime, Runtime];
    await openWallets(here, { ben: 0n });
    expect(await here.execute(p2p('ada', 'ben', 5n, 'k1'), caller)).toMatchObject({ refusal: { code: 'NotFound' } });
    await openWallets(there, { ada: 10n });
    const { payment } = await must(there, { ...p2p('ada', 'ben', 5n, 'k1'), upTo: 'INITIATED' });
    const on = { paymentId: payment?.paymentId ?? '', idempotencyKey: 'k2' };
    await must(here, { type: 'Authorize', ...on });
    expect(await new Runtime({ log: new MemoryLog({ store }) }).account('ada')).toMatchObject({ held: '5' });
  });
});

describe('commands on one account that are refused at once', () => {
  it('do not have each other read it again without end', async () => {
    const log = new MemoryLog();
    const runtime = new Runtime({ log });
    await must(runtime, open('ada'));
    const readLast = log.readLast.bind(log);
    let reads = 0;
    log.readLast = async (streams) => {
      reads += 1;
      if (reads > 100) throw new Error('read without end');
      await turns(3);
      return readLast(streams);
    };
    const refused: Promise<unknown>[] = [];
    for (let copy = 0; copy < 4; copy++) {
      refused.push(runtime.execute({ ...open('ada'), idempotencyKey: `again ${copy}` }, caller));
      await turns(2);
    }
    for (const outcome of await Promise.all(refused)) {
      expect(outcome).toMatchObject({ refusal: { code: 'AccountExists' } });
    }
  });
});

describe('a payment with an account whose opening is not durable', () => {
  it('is not made before it is, and not at all when it fails', async () => {
    const log = new HeldLog();
    const runtime = new Runtime({ log });
    log.hold();
    log.failNext = new Error('the disk is gone');
    const opening = expect(runtime.execute(open('ada'), caller)).rejects.toThrow('the disk is gone');
    await turns();
    // Up to INITIATED nothing of the account is changed: no expected version would hold the two together.
    const paid = runtime.execute({ ...cashIn('ada', 5n, 'k1'), upTo: 'INITIATED' }, caller);
    await turns();
    log.release();
    await opening;
    expect(await paid).toMatchObject({ ok: false, refusal: { code: 'NotFound' } });
    expect(log.store.units).toEqual([]);
  });
});
