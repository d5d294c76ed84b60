import { describe, expect, it } from 'vitest';
import { MemoryLog, MemoryStore } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { commandIdOf } from '../../src/kernel/ids.ts';
import { caller, openWallets, p2p } from '../support/wallets.ts';

/** Proves that a query of what may not be there comes to an end. */
class FullLog extends MemoryLog {
  isFull = false;

  override submit(...asked: Parameters<MemoryLog['submit']>): ReturnType<MemoryLog['submit']> {
    return this.isFull ? 'overloaded' : super.submit(...asked);
  }
}

describe('a payment that was not made because the log was full', () => {
  it('is not there, and whoever asks is told so', async () => {
    const log = new FullLog({ store: new MemoryStore() });
    const runtime = new Runtime({ log });
    await openWallets(runtime, { ada: 100n, ben: 0n });
    log.isFull = true;
    const outcome = await runtime.execute(p2p('ada', 'ben', 10n, 'k'), caller);
    expect(outcome).toMatchObject({ ok: false, refusal: { code: 'Overloaded' } });
    const id = commandIdOf(caller.tenant, caller.principal, 'k');
    let reads = 0;
    const readLast = log.readLast.bind(log);
    log.readLast = (streams) => {
      if (reads++ > 10) throw new Error('read again and again');
      return readLast(streams);
    };
    expect(await runtime.payment(id)).toBeUndefined();
  });
});
