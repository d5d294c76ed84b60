import type { PayRequest } from '../../../src/actors/requests.ts';
import type { Payment, View, Wallet } from './state.ts';
import { systemAccount, type Figures, type Row } from './table.ts';

/**
 * The facts that one command must leave, stream by stream, each written as one line that holds every figure of it; and
 * the states after them. The lines are compared with the log: a unit that lacks one, or has one more, is a finding.
 */
export class Draft {
  readonly lines = new Map<string, string[]>();
  readonly wallets = new Map<string, Wallet>();
  readonly payments = new Map<string, Payment>();
  /** The code of a refusal that the unit records. */
  refused: undefined;
  recorded: string | undefined;
  readonly #id: string;
  readonly #view: View;
  #main = '';

  constructor(id: string, view: View) {
    this.#id = id;
    this.#view = view;
  }

  /** The payment that the command is on, after it. */
  get payment(): Payment | undefined {
    return this.payments.get(this.#main);
  }

  /** Begins on a payment that is there. A step opens the stream of its key; what a deadline asks has no key. */
  take(payment: Payment): void {
    this.#main = payment.id;
    this.payments.set(payment.id, payment);
    if (!this.#id.includes(':')) this.key();
  }

  key(): void {
    this.#line(`request/${this.#id}`, 'handled');
  }

  initiate(payment: Payment, { provider, original }: PayRequest): void {
    this.#main = payment.id;
    this.payments.set(payment.id, { ...payment, provider, original });
    this.#fact('PaymentInitiated', {}, `${payment.kind} ${payment.amount} ${payment.currency} fee ${payment.feeBps}`);
  }

  authorize(holds: boolean): void {
    const { amount, payer = '' } = this.#payment();
    const held = holds ? amount : 0n;
    this.#fact('PaymentAuthorized', { status: 'AUTHORIZED', authorized: amount, held }, `held ${held}`);
    if (held > 0n) this.#move(payer, 'HoldPlaced', { held: amount }, `${amount}`);
  }

  capture(N: bigint, row: Row, settles: boolean): void {
    const { held } = this.#payment();
    this.#fact('PaymentCaptured', { status: 'CAPTURED', captured: N, held: 0n }, `${N} due ${!settles}`);
    this.#post(row.captured, held, false);
  }

  settle(c: bigint, row: Row): void {
    const { captured, feeBps } = this.#payment();
    // Rounded down, in the merchant's favour.
    const fee = (captured * feeBps) / 10_000n;
    this.#fact('PaymentSettled', { status: 'SETTLED', fee, providerFee: c }, `fee ${fee} provider ${c}`);
    this.#post(row.settled ?? [], 0n, false);
  }

  /** Ends a payment that has moved nothing: what it holds, and what it reserved of another, is free again. */
  end(status: 'FAILED' | 'REVERSED', reason: string): void {
    const { held, payer = '', original, amount } = this.#payment();
    this.#fact(status === 'FAILED' ? 'PaymentFailed' : 'PaymentReversed', { status, reason, held: 0n }, reason);
    if (held > 0n) this.#move(payer, 'HoldReleased', { held: -held }, `${held}`);
    if (original !== undefined) this.reserve(original, -amount);
  }

  giveBack(row: Row, reason: string, forced: boolean): void {
    this.#fact('PaymentReversed', { status: 'REVERSED', reason, held: 0n }, reason);
    this.#post(row.reversed, 0n, forced);
  }

  /** A refusal that is recorded: on the payment, and on whatever it rests on. */
  fail(code: string, whose: string | undefined): this {
    this.recorded = code;
    const isNew = !this.#view.payment(this.#main);
    const { original, amount } = this.#payment();
    this.#fact('PaymentFailed', { status: 'FAILED', reason: code, held: 0n }, code);
    if (whose !== undefined) this.#move(whose, 'PaymentRefused', {}, code);
    else if (original !== undefined) this.#other(original, 'RefundRefused', 0n, `${amount}`);
    if (original !== undefined && !isNew) this.reserve(original, -amount);
    return this;
  }

  /** What a refund takes of its original; a negative amount is given back. */
  reserve(original: string, amount: bigint): void {
    if (amount >= 0n) this.#other(original, 'RefundReserved', amount, `${amount}`);
    else this.#other(original, 'RefundReleased', amount, `${-amount}`);
  }

  setWallet(wallet: Wallet, type: string): void {
    const after = { ...wallet, version: wallet.version + 1 };
    this.wallets.set(wallet.id, after);
    const opened = `${after.type} ${after.currency} fee ${after.feeBps}`;
    this.#line(`account/${wallet.id}`, walletLine(type, type === 'AccountOpened' ? opened : '', after));
  }

  #payment(): Payment {
    return this.payments.get(this.#main) as Payment;
  }

  #fact(type: string, changed: Partial<Payment>, figures: string): void {
    const before = this.#payment();
    this.payments.set(this.#main, { ...before, ...changed, version: before.version + 1 });
    this.#line(`payment/${this.#main}`, `${type} ${figures}`);
  }

  #other(id: string, type: string, reserved: bigint, figures: string): void {
    const before = (this.payments.get(id) ?? this.#view.payment(id)) as Payment;
    this.payments.set(id, { ...before, refunded: before.refunded + reserved, version: before.version + 1 });
    this.#line(`payment/${id}`, `${type} ${figures}`);
  }

  #post(lines: Row['captured'], released: bigint, forced: boolean): void {
    const payment = this.#payment();
    const figures: Figures = { N: payment.captured, f: payment.fee, c: payment.providerFee };
    for (const [side, amountOf] of lines) {
      const amount = amountOf(figures);
      if (amount === 0n) continue;
      const wallet = side === 'payer' || side === 'payee' ? payment[side] : undefined;
      // Money for a closed wallet waits in suspense.
      const diverted = wallet !== undefined && this.#wallet(wallet).status === 'CLOSED';
      if (wallet === undefined || diverted) {
        const account = systemAccount(diverted ? 'suspense' : side, payment.currency, payment.provider);
        this.#line(`system/${account}`, `EntryPosted ${amount}`);
        continue;
      }
      const consumed = side === 'payer' ? released : 0n;
      const note = `${amount} released ${consumed} forced ${forced && amount < 0n}`;
      this.#move(wallet, 'EntryPosted', { posted: amount, held: -consumed }, note);
    }
  }

  #wallet(id: string): Wallet {
    return this.wallets.get(id) ?? (this.#view.wallet(id) as Wallet);
  }

  #move(id: string, type: string, { posted = 0n, held = 0n }: { posted?: bigint; held?: bigint }, note: string): void {
    const before = this.#wallet(id);
    const version = before.version + 1;
    const after = { ...before, posted: before.posted + posted, held: before.held + held, version };
    this.wallets.set(id, after);
    this.#line(`account/${id}`, walletLine(type, note, after));
  }

  #line(stream: string, line: string): void {
    const lines = this.lines.get(stream);
    if (lines === undefined) this.lines.set(stream, [line]);
    else lines.push(line);
  }
}

function walletLine(type: string, note: string, { status, posted, held, limit }: Wallet): string {
  return `${type} ${note} → ${status} ${posted} held ${held} limit ${limit}`;
}
