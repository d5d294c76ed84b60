import { expect, it } from 'vitest';
import { MemoryLog, MemoryStore, type RecordedRow, type StreamId } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { must, openWallets, p2p } from '../support/wallets.ts';

/** A log whose reads can be held between the look and the answer. */
class SlowToAnswer extends MemoryLog {
  held: Promise<void> | undefined;

  override async readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    const found = await super.readLast(streams);
    await this.held;
    return found;
  }
}

/** Proves that a wallet which was read before another process wrote, and answered after the news of it, is read again. */
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
