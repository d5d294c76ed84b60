import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller, KoraRequest } from '../../actors/requests.ts';
import type { Outcome, Runtime } from '../../actors/runtime.ts';
import { paymentIdOf } from '../../kernel/ids.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import { historyCurrency, type HistoryRow } from './history-row.ts';

/** What a row of the history came to. */
export type RowOutcome =
  | { readonly kind: 'paid' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The product failed, not the row. */
  | { readonly kind: 'fault'; readonly error: unknown };

/** Who plays, and what ties the payments of one run together. */
export type Player = Pick<Caller, 'tenant' | 'principal' | 'correlationId'>;

const retryDelayMs = 50;

/**
 * Plays the rows of one account, in their order.
 *
 * A row is handed to the runtime as soon as the one before it was, without waiting until that one is durable: the
 * runtime decides in the order in which it is asked. Only a debit may have to wait. A refused payment is recorded under
 * its key for ever, so a debit is never sent before the wallet certainly covers it: `#spendable` is what the wallet has
 * whatever becomes of the rows that are on their way. Where that is too little, the lane waits for them, looks, and has
 * the limit raised by what is still missing, before the payment is tried.
 */
export class AccountLane {
  readonly account: string;
  readonly #runtime: Runtime;
  readonly #player: Player;
  #turn: Promise<void> = Promise.resolve();
  #isOpen = false;
  #spendable = 0n;
  #onTheirWay = 0;
  #landed: (() => void) | undefined;

  constructor(account: string, runtime: Runtime, player: Player) {
    this.account = account;
    this.#runtime = runtime;
    this.#player = player;
  }

  /** @param done called once, when the outcome is durable */
  play(row: HistoryRow, done: (outcome: RowOutcome) => void): void {
    this.#turn = this.#turn.then(() => this.#begin(row, done));
  }

  async #begin(row: HistoryRow, done: (outcome: RowOutcome) => void): Promise<void> {
    try {
      const refusal = (await this.#open(row)) ?? (await this.#cover(row));
      if (refusal === undefined) this.#send(row, done);
      else done({ kind: 'refused', refusal });
    } catch (error) {
      done({ kind: 'fault', error });
    }
  }

  #send(row: HistoryRow, done: (outcome: RowOutcome) => void): void {
    const { amount, direction } = row;
    if (direction === 'debit') this.#spendable -= amount;
    this.#onTheirWay += 1;
    void this.#execute(paymentOf(row), row)
      .then(
        (outcome): RowOutcome => {
          const isPaid = outcome.ok && !outcome.duplicate;
          if (isPaid === (direction === 'credit')) this.#spendable += amount;
          if (isPaid) return { kind: 'paid' };
          return outcome.ok ? { kind: 'duplicate' } : { kind: 'refused', refusal: outcome.refusal };
        },
        (error: unknown): RowOutcome => ({ kind: 'fault', error }),
      )
      .then((outcome) => {
        this.#onTheirWay -= 1;
        if (this.#onTheirWay === 0) this.#landed?.();
        done(outcome);
      });
  }

  /** At first sight of the account: finds its wallet, or opens one. */
  async #open(row: HistoryRow): Promise<Refusal | undefined> {
    if (this.#isOpen) return undefined;
    let wallet = await this.#runtime.account(this.account);
    if (wallet === undefined) {
      const outcome = await this.#execute(
        {
          type: 'OpenAccount',
          idempotencyKey: `open:${this.account}`,
          accountId: this.account,
          walletType: 'customer',
          currency: historyCurrency,
        },
        row,
      );
      if (!outcome.ok) return outcome.refusal;
      wallet = outcome.account;
    }
    if (wallet === undefined || wallet.type !== 'customer' || wallet.currency !== historyCurrency) {
      const message = `account ${this.account} exists and is no customer account in ${historyCurrency}`;
      return { code: 'AccountExists', message, accountId: this.account };
    }
    this.#spendable = BigInt(wallet.available);
    this.#isOpen = true;
    return undefined;
  }

  /** Sees to it that a debit which is not played yet will find enough. */
  async #cover({ direction, amount, transId, effectiveAt }: HistoryRow): Promise<Refusal | undefined> {
    if (direction === 'credit' || amount <= this.#spendable) return undefined;
    await this.#allLanded();
    const wallet = await this.#runtime.account(this.account);
    if (wallet === undefined) return undefined;
    this.#spendable = BigInt(wallet.available);
    if (amount <= this.#spendable) return undefined;
    const paymentId = paymentIdOf(this.#player.tenant, this.#player.principal, transId);
    if ((await this.#runtime.payment(paymentId)) !== undefined) return undefined;
    const limit = BigInt(wallet.limit) + amount - this.#spendable;
    const outcome = await this.#execute(
      {
        type: 'SetLimit',
        idempotencyKey: `limit:${transId}:${limit.toString()}`,
        accountId: this.account,
        limit,
        reason: `the bank's history overdraws the account with its transaction ${transId}`,
      },
      { effectiveAt },
    );
    if (!outcome.ok) return outcome.refusal;
    this.#spendable = BigInt(outcome.account?.available ?? 0);
    return undefined;
  }

  async #allLanded(): Promise<void> {
    if (this.#onTheirWay > 0) await new Promise<void>((resolve) => (this.#landed = resolve));
    this.#landed = undefined;
  }

  /** What was refused because there was too much to do is tried again: nothing of it was written. */
  async #execute(request: KoraRequest, { effectiveAt }: Pick<HistoryRow, 'effectiveAt'>): Promise<Outcome> {
    for (;;) {
      const outcome = await this.#runtime.execute(request, { ...this.#player, effectiveAt });
      if (outcome.ok || (outcome.refusal.code !== 'Overloaded' && outcome.refusal.code !== 'Contended')) return outcome;
      await sleep(retryDelayMs);
    }
  }
}

function paymentOf({ transId, account, direction, amount, provider }: HistoryRow): KoraRequest {
  const common = {
    type: 'Pay',
    idempotencyKey: transId,
    amount,
    currency: historyCurrency,
    provider,
    upTo: 'SETTLED',
  } as const;
  return direction === 'credit'
    ? { ...common, kind: 'CASH_IN', payee: account }
    : { ...common, kind: 'CASH_OUT', payer: account };
}
