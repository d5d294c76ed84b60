import { expect, it } from 'vitest';
import { MemoryLog, MemoryStore, type RecordedRow, type RecordedUnit, type StreamId } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { HeldLog } from '../support/held-log.ts';
import { caller, must, openWallets, p2p } from '../support/wallets.ts';

/** A log whose reads can be held between the look and the answer. */
class SlowToAnswer extends MemoryLog {
  held: Promise<void> | undefined;

  override async readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    const found = await super.readLast(streams);
    await this.held;
    return found;
  }
}

/** Proves that no process shows a wallet as it was before another one wrote, however the news and its own work overlap. */

const posted = async (runtime: Runtime, id: string): Promise<string | undefined> => (await runtime.account(id))?.posted;

it('what is told of while a state is on its way is not missed', async () => {
  const store = new MemoryStore();
  const first = new Runtime({ log: new MemoryLog({ store }) });
  await openWallets(first, { ada: 1_000n, ben: 0n });
  const log = new SlowToAnswer({ store });
  const second = new Runtime({ log });
  let answer = (): void => undefined;
  log.held = new Promise((resolve) => (answer = resolve));
  const asked = second.account('ada');
  await new Promise((resolve) => setTimeout(resolve, 10));
  await must(first, p2p('ada', 'ben', 300n, 'k'));
  const unit = store.units.at(-1);
  if (unit !== undefined) second.observe(unit);
  log.held = undefined;
  answer();
  expect((await asked)?.posted).toBe('700');
  expect((await second.account('ada'))?.posted).toBe('700');
});

it('what is told of while a unit of ours is pending is not missed when that unit falls for another wallet', async () => {
  const store = new MemoryStore();
  const first = new Runtime({ log: new MemoryLog({ store }) });
  await openWallets(first, { ada: 300n, ben: 0n });
  const log = new HeldLog(store);
  const second = new Runtime({ log });
  expect([await posted(second, 'ada'), await posted(second, 'ben')]).toEqual(['300', '0']);
  log.hold();
  const falls = second.execute(p2p('ada', 'ben', 300n, 'second'), caller);
  await must(first, p2p('ada', 'ben', 300n, 'first'));
  second.observe(store.units.at(-1) as RecordedUnit);
  log.release();
  // Decided again, it is refused for want of funds: nothing more is asked of the payee.
  expect(await falls).toMatchObject({ ok: false, refusal: { code: 'InsufficientFunds' } });
  expect([await posted(second, 'ada'), await posted(second, 'ben')]).toEqual(['0', '300']);
});

it('what is told of before we are told of our own unit, and comes after it, is not missed', async () => {
  const store = new MemoryStore();
  const first = new Runtime({ log: new MemoryLog({ store }) });
  await openWallets(first, { ada: 1_000n, ben: 0n });
  const durable = Promise.withResolvers<() => void>();
  const log = new MemoryLog({ store });
  const submit = log.submit.bind(log);
  log.submit = (unit, settled) => submit(unit, (result) => durable.resolve(() => settled(result)));
  const second = new Runtime({ log });
  const ours = second.execute(p2p('ada', 'ben', 1n, 'second'), caller);
  const tell = await durable.promise;
  await must(first, p2p('ada', 'ben', 10n, 'first'));
  second.observe(store.units.at(-1) as RecordedUnit);
  tell();
  expect(await ours).toMatchObject({ ok: true });
  expect([await posted(second, 'ada'), await posted(second, 'ben')]).toEqual(['989', '11']);
});

it('what another process answered of a payout is seen here at once, of its slices too', async () => {
  const store = new MemoryStore();
  const [first, second] = [0, 1].map(() => new Runtime({ log: new MemoryLog({ store }) })) as [Runtime, Runtime];
  const treasury = { accountId: 'till', walletType: 'treasury', currency: 'XOF' } as const;
  await must(first, { type: 'OpenAccount', idempotencyKey: 'till', ...treasury });
  await must(first, {
    ...{ type: 'Pay', idempotencyKey: 'funds', kind: 'FUNDING', payee: 'till', provider: 'bank:AB' },
    ...{ amount: 500n, currency: 'XOF', upTo: 'SETTLED' },
  });
  const { payout } = await must(first, {
    ...{ type: 'CreatePayout', idempotencyKey: 'o', amount: 300n, currency: 'XOF', payer: 'till' },
    ...{ provider: 'bank:AB', beneficiary: 'ben-1' },
  });
  const { payoutId = '', slices: [slice] = [] } = payout ?? {};
  const sliceId = slice?.paymentId ?? '';
  const seen = async () => [
    (await second.payout(payoutId))?.state,
    (await second.payment(sliceId))?.status,
    (await second.account('till'))?.held,
  ];
  expect(await seen()).toEqual(['OPEN', 'AUTHORIZED', '300']);
  second.wroteElsewhere(
    await must(first, { type: 'CancelPayout', idempotencyKey: 'c', payoutId, reason: 'not wanted' }),
  );
  expect(await seen()).toEqual(['CANCELLED', 'FAILED', '0']);
});
