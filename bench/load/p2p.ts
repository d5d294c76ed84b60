import { Seeded } from './seeded.ts';

export const walletsCount = 2_000;
/** What every wallet has before the first payment: more than any run can take from one. */
export const openingBalance = 1_000_000_000_000n;
export const currency = 'XOF';

export interface P2p {
  /** 0 … walletsCount − 1. */
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly key: string;
}

/** The payments that every case makes: the same wallets, amounts and keys in the same order, whoever carries them out. */
export class P2pSource {
  readonly #random = new Seeded(20_261_122);
  readonly #hot: boolean;

  /** @param hot every payment debits wallet 0 */
  constructor({ hot = false } = {}) {
    this.#hot = hot;
  }

  next(): P2p {
    const random = this.#random;
    const payer = this.#hot ? 0 : random.below(walletsCount);
    const payee = (payer + 1 + random.below(walletsCount - 1)) % walletsCount;
    return { payer, payee, amount: 1 + random.below(1_000), key: random.uuid() };
  }
}
