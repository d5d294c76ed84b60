import type { EventLog } from '../../../eventstore/index.ts';
import type { Caller } from '../../../src/actors/requests.ts';
import { Runtime } from '../../../src/actors/runtime.ts';
import { paymentIdOf } from '../../../src/kernel/ids.ts';
import { caller, cashIn, must, p2p } from '../../support/wallets.ts';

export const wallets = ['w0', 'w1', 'w2', 'w3'] as const;

/** The id of the n-th payment of the traffic, before and after it exists. */
export function paymentOf(index: number): string {
  return paymentIdOf(caller.tenant, caller.principal, `payment ${index}`);
}

/** Payments between four wallets through the real runtime: in one unit or in two, some refused, in a fixed order of kinds. */
export class Traffic {
  readonly #runtime: Runtime;
  #made: number;

  /** On wallets that are open already. */
  constructor(log: EventLog, firstIndex = 0) {
    this.#runtime = new Runtime({ log });
    this.#made = firstIndex;
  }

  static async begin(log: EventLog): Promise<Traffic> {
    for (const accountId of wallets) await Traffic.open(log, accountId);
    return new Traffic(log);
  }

  /** Opens one wallet, with money in it. */
  static async open(log: EventLog, accountId: string): Promise<void> {
    const runtime = new Runtime({ log });
    const opened = { type: 'OpenAccount', walletType: 'customer', currency: 'XOF', accountId } as const;
    await must(runtime, { ...opened, idempotencyKey: `open ${accountId}` });
    await must(runtime, cashIn(accountId, 1_000_000n));
  }

  /** How many payments were begun. */
  get made(): number {
    return this.#made;
  }

  /**
   * Makes payments, all at once.
   *
   * @param correlationId told with each of them: a long one makes every message about them long
   */
  async pay(count: number, correlationId = caller.correlationId): Promise<void> {
    const by = { ...caller, correlationId };
    await Promise.all(Array.from({ length: count }, () => this.#one(this.#made++, by)));
  }

  async #one(index: number, by: Caller): Promise<void> {
    const key = `payment ${index}`;
    const payer = wallets[index % 4] ?? 'w0';
    const payee = wallets[(index + 1 + (index % 3)) % 4] ?? 'w1';
    switch (index % 5) {
      case 0:
        await this.#runtime.execute(p2p(payer, payee, 1_000_000_000n, key), by);
        return;
      case 1:
        await this.#runtime.execute(cashIn(payer, 7n, key), by);
        return;
      case 2: {
        await this.#runtime.execute({ ...p2p(payer, payee, 10n, key), upTo: 'AUTHORIZED' }, by);
        const capture = { type: 'Capture', idempotencyKey: `capture ${index}`, paymentId: paymentOf(index) } as const;
        await this.#runtime.execute({ ...capture, amount: 4n }, by);
        return;
      }
      default:
        await this.#runtime.execute(p2p(payer, payee, 3n, key), by);
    }
  }
}
