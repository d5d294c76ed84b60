import { create } from '@bufbuild/protobuf';
import type { Kora } from '../../composition.ts';
import { WalletType } from '../../gateway/rpc/gen/kora/v1/account_pb.js';
import { type Command, CommandSchema, PaymentKind, PayUpTo } from '../../gateway/rpc/gen/kora/v1/payment_pb.js';
import type { Driver } from '../driver.ts';
import type { Random } from '../random.ts';
import { profile } from './connectors-document.ts';

export const currency = 'XOF';
const treasury = 'mobile-treasury';
const payoutAmount = '250000';

/** People whose money comes and goes through the provider, and a business that pays out. */
export class MobilePayments {
  readonly wallets: readonly string[] = Array.from({ length: 40 }, (_, index) => `mobile-${index + 1}`);
  readonly #driver: Driver;
  readonly #random: Random;
  readonly #date: string;

  constructor(driver: Driver, random: Random, date: string) {
    this.#driver = driver;
    this.#random = random;
    this.#date = date;
  }

  /** Opens their wallets, and a treasury that a bank funds. */
  async open(signal: AbortSignal): Promise<void> {
    const open = (accountId: string, walletType: WalletType): Command => {
      const value = { idempotencyKey: `open ${accountId}`, accountId, currency, walletType };
      return create(CommandSchema, { command: { case: 'openAccount', value } });
    };
    const customers = this.wallets.map((id) => open(id, WalletType.CUSTOMER));
    await this.#driver.batches([...customers, open(treasury, WalletType.TREASURY)], signal);
    const idempotencyKey = `${this.#date} mobile funding`;
    const kind = PaymentKind.FUNDING;
    const bank = { payee: treasury, provider: 'bank:BCEAO', amount: payoutAmount, upTo: PayUpTo.SETTLED };
    const value = { idempotencyKey, kind, currency, ...bank };
    await this.#driver.batches([create(CommandSchema, { command: { case: 'pay', value } })], signal);
  }

  /** One for each wallet. */
  async cashIns(signal: AbortSignal): Promise<void> {
    await this.#ask(
      this.wallets.map((payee) => this.#cashIn(payee)),
      signal,
    );
  }

  /** One for each wallet. */
  async cashOuts(signal: AbortSignal): Promise<void> {
    await this.#ask(
      this.wallets.map((payer) => this.#cashOut(payer)),
      signal,
    );
  }

  /** So many, in and out, of anybody. */
  async some(count: number, signal: AbortSignal): Promise<void> {
    const random = this.#random;
    const one = (): Command => {
      const wallet = random.pick(this.wallets);
      return random.chance(0.4) ? this.#cashIn(wallet) : this.#cashOut(wallet);
    };
    await this.#ask(Array.from({ length: count }, one), signal);
  }

  /** All that the treasury has, to somebody: in slices of what a connector takes in one payment. */
  async payout(payments: Kora['payments']): Promise<string> {
    const caller = { tenant: 'demo', principal: 'service:demo', correlationId: `${this.#date} payout` };
    const request = { idempotencyKey: `${this.#date} payout`, currency, payer: treasury, provider: profile } as const;
    const outcome = await payments.carryOut(
      { type: 'CreatePayout', amount: BigInt(payoutAmount), beneficiary: 'mobile-dealer', ...request },
      caller,
    );
    if (!outcome.ok) throw new Error(`the payout was refused: ${outcome.refusal.code}`);
    return payoutAmount;
  }

  async #ask(commands: readonly Command[], signal: AbortSignal): Promise<void> {
    await this.#driver.batches(commands, signal);
  }

  #cashIn(payee: string): Command {
    return this.#pay(PaymentKind.CASH_IN, { payee, amount: String(500 * this.#random.whole(20, 100)) });
  }

  #cashOut(payer: string): Command {
    return this.#pay(PaymentKind.CASH_OUT, { payer, amount: String(25 * this.#random.whole(4, 60)) });
  }

  /** AUTHORIZED is what people ask for: how it goes on is the provider's word. */
  #pay(
    kind: PaymentKind,
    fields: { readonly amount: string; readonly payer?: string; readonly payee?: string },
  ): Command {
    const idempotencyKey = `${this.#date} mobile ${(this.#number += 1)}`;
    const value = { idempotencyKey, kind, currency, provider: profile, upTo: PayUpTo.AUTHORIZED, ...fields };
    return create(CommandSchema, { command: { case: 'pay', value } });
  }
  #number = 0;
}
