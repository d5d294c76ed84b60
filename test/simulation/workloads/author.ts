import { commandIdOf } from '../../../src/kernel/ids.ts';
import type { KoraRequest, PayRequest } from '../../../src/actors/requests.ts';
import type { Operation } from '../scenario.ts';
import type { Random } from '../world/random.ts';
import { served } from './providers.ts';
import { currencies, currencyOf, customers, merchants, walletsIn } from './wallets.ts';

export type PayBody = Omit<PayRequest, 'type' | 'idempotencyKey' | 'currency' | 'upTo'> & {
  currency?: string;
  upTo?: PayRequest['upTo'];
};

interface AskedFor {
  readonly id: string;
  readonly kind: string;
  readonly currency: string;
}

/** How far apart things are that happen at once: less than a commit takes. */
const atOnceMs = 6;

/** Writes the operations of a run. */
export class Author {
  readonly random: Random;
  readonly operations: Operation[] = [];
  /** Payments that were asked for: later steps may be on them, whatever became of them. */
  readonly asked: AskedFor[] = [];
  readonly keys: string[] = [];
  #names = 0;
  readonly #lengthMs: number;
  /** While things are written that happen at once. */
  #atOnceAt: number | undefined;

  constructor(random: Random, lengthMs: number) {
    this.random = random;
    this.#lengthMs = lengthMs;
  }

  /** Wallets, and money in them. */
  open(amount: bigint): void {
    const { random } = this;
    const limit = random.chance(0.3) ? 50n : 0n;
    for (const currency of currencies) {
      const open = (accountId: string, more: object): void => {
        const request = { type: 'OpenAccount', currency, accountId, walletType: 'customer', ...more } as const;
        this.command({ ...request, idempotencyKey: `open ${accountId}` }, 1);
      };
      const { customers: people, merchants: shops, treasury } = walletsIn[currency];
      for (const id of people) open(id, { limit });
      for (const id of shops) open(id, { walletType: 'merchant', feeBps: random.pick([0, 33, 250]) });
      open(treasury, { walletType: 'treasury' });
      const funds = { kind: 'FUNDING', payee: treasury, provider: 'bank:AB', amount: amount * 3n, currency } as const;
      this.command(this.request(funds, `fund ${treasury}`), 60);
      for (const payee of [...people, ...shops]) {
        const body = { kind: 'CASH_IN', payee, provider: 'cash', amount, currency, upTo: 'SETTLED' } as const;
        this.command(this.request(body, `fund ${payee}`), 60);
      }
    }
  }

  anyTime(): number {
    if (this.#atOnceAt !== undefined) return this.#atOnceAt + this.random.next() * atOnceMs;
    return 150 + this.random.next() * this.#lengthMs;
  }

  /** What is written by `write` happens at nearly the same time. */
  atOnce(write: () => void): void {
    this.#atOnceAt = this.anyTime();
    write();
    this.#atOnceAt = undefined;
  }

  /** A name that nothing else has. */
  name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  key(): string {
    const key = `k${this.keys.length}`;
    this.keys.push(key);
    return key;
  }

  /** In the currency of its wallets, unless it says another. */
  request(body: PayBody, idempotencyKey = this.key()): PayRequest {
    const currency = currencyOf(body.payer ?? body.payee ?? '');
    return { type: 'Pay', currency, upTo: 'SETTLED', ...body, idempotencyKey };
  }

  command(request: KoraRequest, atMs = this.anyTime(), principal = 'service:shop'): void {
    const { random } = this;
    const again = random.chance(0.2) ? random.whole(1, 2) : 0;
    const tries = random.chance(0.1) ? 1 : 12;
    this.operations.push({ do: 'command', atMs, name: this.name('c'), request, principal, tries, again });
    if (request.type === 'Pay') {
      const { kind, currency } = request;
      this.asked.push({ id: commandIdOf('kora', principal, request.idempotencyKey), kind, currency });
    }
  }

  /** A payment of a kind that goes as far as chance says, and steps on it, in time and out of it. */
  payment(
    body: PayBody,
    upTo: PayRequest['upTo'] = this.random.pick(['INITIATED', 'AUTHORIZED', 'CAPTURED', 'SETTLED']),
  ): void {
    const { random } = this;
    const atMs = this.anyTime();
    this.command(this.request({ ...body, upTo }), atMs);
    const paymentId = this.asked.at(-1)?.id ?? '';
    if (random.chance(0.25)) return;
    for (let steps = random.whole(1, 3); steps > 0; steps--) {
      this.step(paymentId, atMs + random.next() * random.pick([20, 1_500]), body.amount);
    }
  }

  step(paymentId: string, atMs = this.anyTime(), amount = 30n, idempotencyKey = this.key()): void {
    const { random } = this;
    const on = { paymentId, idempotencyKey };
    const part = random.pick([amount, amount / 2n + 1n, amount / 3n + 1n, amount + 1n]);
    const request = random.pick<KoraRequest>([
      { type: 'Authorize', ...on },
      { type: 'Capture', ...on },
      { type: 'Capture', ...on, amount: part },
      { type: 'Settle', ...on },
      { type: 'Settle', ...on, providerFee: BigInt(random.whole(0, 2)) },
      { type: 'Fail', ...on, reason: 'provider said no' },
      { type: 'Reverse', ...on, reason: 'requested' },
      { type: 'Reverse', ...on, reason: 'provider' },
    ]);
    this.command(request, atMs);
  }

  /** By a provider: it is authorized, and a connector does the rest, whatever people try meanwhile. */
  throughProvider(kind: 'CASH_IN' | 'CASH_OUT', wallet: string, amount: bigint): void {
    const { random } = this;
    const atMs = this.anyTime();
    const side = kind === 'CASH_IN' ? { payee: wallet } : { payer: wallet };
    const body = { kind, amount, provider: random.pick(served), ...side };
    const upTo = random.chance(0.9) ? 'AUTHORIZED' : random.pick(['INITIATED', 'CAPTURED'] as const);
    this.command(this.request({ ...body, upTo }), atMs);
    const paymentId = this.asked.at(-1)?.id ?? '';
    const later = (): number => atMs + random.next() * random.pick([30, 600, 4_000]);
    if (random.chance(0.5)) this.meddle(paymentId, later(), amount);
    if (random.chance(0.15)) this.lookUp(paymentId, later());
    if (random.chance(0.1)) this.freeze(wallet, later());
  }

  /** What people may try on a payment that a provider is at. */
  meddle(paymentId: string, atMs: number, amount: bigint): void {
    const { random } = this;
    const on = { paymentId, idempotencyKey: this.key() };
    const request = random.weighted({ reverse: 5, fail: 4, capture: 2, settle: 1, lie: 1 });
    if (request === 'reverse') this.command({ type: 'Reverse', ...on, reason: 'requested' }, atMs);
    else if (request === 'fail') this.command({ type: 'Fail', ...on, reason: 'not wanted' }, atMs);
    else if (request === 'capture') this.command({ type: 'Capture', ...on, amount }, atMs);
    else if (request === 'settle') this.command({ type: 'Settle', ...on }, atMs);
    else {
      const said = random.pick([
        { outcome: 'refused', reason: 'nothing seen' },
        { outcome: 'confirmed', providerRef: 'seen-1' },
        { outcome: 'settled', providerRef: 'seen-1', providerFee: 1n },
      ] as const);
      this.command({ type: 'Resolve', ...on, ...said }, atMs, 'user:guess');
    }
  }

  lookUp(paymentId: string, atMs = this.anyTime()): void {
    this.operations.push({ do: 'resolve', atMs, name: this.name('r'), paymentId });
  }

  freeze(accountId: string, atMs: number): void {
    const on = { accountId, reason: 'checked' };
    this.command({ type: 'FreezeAccount', ...on, idempotencyKey: this.key() }, atMs);
    const later = atMs + this.random.next() * 2_000;
    this.command({ type: 'UnfreezeAccount', ...on, idempotencyKey: this.key() }, later);
  }

  /** From a treasury, in slices; perhaps cancelled while some are with providers, and something of it comes back. */
  payout(): void {
    const { random } = this;
    const currency = random.weighted({ XOF: 3, GHS: 1 });
    const payer = random.chance(0.95) ? walletsIn[currency].treasury : random.pick(customers);
    const atMs = this.anyTime();
    const idempotencyKey = this.key();
    const amount = BigInt(random.whole(20, 260));
    const body = { amount, currency, payer, provider: random.pick(served), beneficiary: 'iban-1' };
    this.command({ type: 'CreatePayout', ...body, idempotencyKey }, atMs);
    const payoutId = commandIdOf('kora', 'service:shop', idempotencyKey);
    const sliceOf = (index: number): string => commandIdOf('kora', `payout:${payoutId}`, String(index));
    const later = (): number => atMs + random.next() * random.pick([30, 600, 4_000]);
    for (let left = random.pick([0, 0, 1, 2]); left > 0; left--)
      this.command({ type: 'CancelPayout', payoutId, reason: 'not wanted', idempotencyKey: this.key() }, later());
    if (random.chance(0.3)) this.meddle(sliceOf(random.whole(0, 2)), later(), amount);
    if (random.chance(0.2)) this.lookUp(sliceOf(random.whole(0, 2)), later());
    if (random.chance(0.1)) this.freeze(payer, later());
    if (random.chance(0.3)) {
      const back = { kind: 'PAYOUT_RETURN', amount: amount / 4n + 1n, original: sliceOf(0), currency } as const;
      this.command(this.request(back), later() + 2_000);
    }
  }

  /** Of a merchant payment that may have come to anything; seldom in the wrong currency. */
  refund(amount: bigint): void {
    const { id, currency } = this.past('MERCHANT');
    const other = this.random.chance(0.05) ? this.random.pick(currencies) : currency;
    this.payment({ kind: 'REFUND', amount, original: id, currency: other });
  }

  amount(): bigint {
    return BigInt(this.random.pick([this.random.whole(1, 20), this.random.whole(1, 120), this.random.whole(50, 400)]));
  }

  /** A payment, mostly of that kind. */
  past(kind?: string): AskedFor {
    const fitting = kind === undefined ? this.asked : this.asked.filter((one) => one.kind === kind);
    return this.random.pick(fitting.length === 0 ? this.asked : fitting);
  }

  look(): void {
    const id = this.random.pick(customers);
    const what = this.random.chance(0.5)
      ? ({ what: 'account', id } as const)
      : ({ what: 'payment', id: this.past().id } as const);
    this.operations.push({ do: 'look', atMs: this.anyTime(), name: this.name('l'), ...what });
  }

  /** What an operator does to accounts. */
  administer(accountId = this.random.pick([...customers, ...merchants])): void {
    const { random } = this;
    const on = { accountId, reason: 'checked', idempotencyKey: this.key() };
    const atMs = this.anyTime();
    const type = random.pick(['FreezeAccount', 'CloseAccount', 'SetLimit'] as const);
    if (type === 'SetLimit') this.command({ type, ...on, limit: BigInt(random.whole(0, 80)) }, atMs);
    else this.command({ type, ...on }, atMs);
    if (type !== 'FreezeAccount') return;
    const later = atMs + random.next() * 2_000;
    this.command({ ...on, type: 'UnfreezeAccount', idempotencyKey: this.key() }, later);
  }
}
