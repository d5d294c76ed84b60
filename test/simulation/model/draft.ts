import { type Attempt, type Payment, type Payout, type Stage, type View, type Wallet } from './state.ts';
import { feeCorrection, systemAccount, type Figures, type Row } from './table.ts';

/**
 * The facts that one command must leave, stream by stream, each written as one line that holds every figure of it; and
 * the states after them. The lines are compared with the log: a unit that lacks one, or has one more, is a finding.
 */
export class Draft {
  readonly lines = new Map<string, string[]>();
  readonly wallets = new Map<string, Wallet>();
  readonly payments = new Map<string, Payment>();
  readonly payouts = new Map<string, Payout>();
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

  /** Goes on with one of several payments. */
  turnTo(payment: Payment): void {
    this.#main = payment.id;
    this.payments.set(payment.id, payment);
  }

  key(): void {
    this.#line(`request/${this.#id}`, 'handled');
  }

  initiate(payment: Payment): void {
    this.turnTo(payment);
    this.#fact('PaymentInitiated', {}, `${payment.kind} ${payment.amount} ${payment.currency} fee ${payment.feeBps}`);
  }

  authorize(holds: boolean): void {
    const { amount, payer = '' } = this.#payment();
    const held = holds ? amount : 0n;
    this.#fact('PaymentAuthorized', { status: 'AUTHORIZED', authorized: amount, held }, `held ${held}`);
    if (held > 0n) this.#move(payer, 'HoldPlaced', { held: amount }, `${amount}`);
  }

  capture(N: bigint, row: Row, settles: boolean, forced = false): void {
    const { held } = this.#payment();
    this.#fact('PaymentCaptured', { status: 'CAPTURED', captured: N, held: 0n }, `${N} due ${!settles}`);
    // What a provider has taken on goes out of a wallet that was frozen meanwhile, too.
    this.#post(row.captured, held, forced);
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
    const type = status === 'FAILED' ? 'PaymentFailed' : 'PaymentReversed';
    this.#fact(type, { status, reason, held: 0n, stage: this.#ended() }, reason);
    if (held > 0n) this.#move(payer, 'HoldReleased', { held: -held }, `${held}`);
    if (original !== undefined) this.reserve(original, -amount);
  }

  giveBack(row: Row, reason: string, forced: boolean): void {
    this.#fact('PaymentReversed', { status: 'REVERSED', reason, held: 0n, stage: this.#ended() }, reason);
    this.#post(row.reversed, 0n, forced);
  }

  /** What was done stays done; nothing else goes on. */
  #ended(): Stage {
    return this.#payment().stage === 'settled' ? 'settled' : 'failed';
  }

  /** An attempt begins, or something is known of one: the newest attempt of its connector. */
  attempt(type: string, attempt: Attempt, stage: Stage, figures: string): void {
    const { attempts, provider } = this.#payment();
    const others = attempts.filter(({ number }) => number !== attempt.number);
    const isNew = others.length === attempts.length;
    const before = isNew
      ? others.map((one) => (one.known === 'in doubt' ? ({ ...one, known: 'sent again' } as const) : one))
      : others;
    const after = [...before, attempt].sort((one, other) => one.number - other.number);
    const changed = { attempts: after, stage, provider: isNew ? attempt.provider : provider };
    this.#fact(type, changed, `${attempt.number}${figures}`);
  }

  noted(type: string, figures: string): void {
    this.#fact(type, {}, figures);
  }

  contradicted(about: Attempt, said: string): void {
    const { attempts } = this.#payment();
    const marked = attempts.map((one) => (one === about ? { ...one, contradicted: said } : one));
    this.#fact('ProviderContradicted', { attempts: marked }, `${about.number} ${said}`);
  }

  unresolved(number: number): void {
    this.#fact('InstructionUnresolved', { unresolved: true }, `${number}`);
  }

  /** Carried out after it had ended: posted by itself, at the connector's provider. */
  late(about: Attempt, ref: string, c: bigint, row: Row): void {
    const { attempts, amount } = this.#payment();
    const marked = attempts.map((one) => (one === about ? ({ ...one, known: 'done late' } as const) : one));
    this.#fact('LateSuccessPosted', { attempts: marked }, `${about.number} ${about.provider} ${ref} ${c}`);
    this.#post(row.late ?? [], 0n, false, { N: amount, f: 0n, c }, about.provider);
  }

  correctFee(c: bigint): void {
    const before = this.#payment().providerFee;
    this.#fact('ProviderFeeCorrected', { providerFee: c }, `${c}`);
    this.#post(feeCorrection, 0n, false, { N: c - before, f: 0n, c: 0n });
  }

  payout(payout: Payout, type: string, figures: string): void {
    this.payouts.set(payout.id, { ...payout, version: payout.version + 1 });
    this.#line(`payout/${payout.id}`, `${type} ${figures}`);
  }

  /** A payout that a wallet refuses. */
  refusedBy(wallet: string, code: string): void {
    this.recorded = code;
    this.#move(wallet, 'PaymentRefused', {}, code);
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

  #post(
    lines: Row['captured'],
    released: bigint,
    forced: boolean,
    figures: Figures = { N: this.#payment().captured, f: this.#payment().fee, c: this.#payment().providerFee },
    provider = this.#payment().provider,
  ): void {
    const payment = this.#payment();
    for (const [side, amountOf] of lines) {
      const amount = amountOf(figures);
      if (amount === 0n) continue;
      const wallet = side === 'payer' || side === 'payee' ? payment[side] : undefined;
      // Money for a closed wallet waits in suspense.
      const diverted = wallet !== undefined && this.#wallet(wallet).status === 'CLOSED';
      if (wallet === undefined || diverted) {
        const account = systemAccount(diverted ? 'suspense' : side, payment.currency, provider);
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
