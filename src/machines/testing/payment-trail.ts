import { invariant } from '../../kernel/invariant.ts';
import type { PaymentFact, PaymentInitiated, PaymentKind } from '../payment/payment.facts.ts';

/** One letter per fact, so that a history is a word, and the machine a regular expression. */
const LETTERS: Readonly<Record<PaymentFact['type'], string>> = {
  PaymentInitiated: 'I',
  PaymentAuthorized: 'A',
  PaymentCaptured: 'C',
  PaymentSettled: 'S',
  PaymentFailed: 'F',
  PaymentReversed: 'R',
  RefundReserved: 'v',
  RefundReleased: 'x',
  RefundRefused: 'n',
  InstructionIssued: 'i',
  InstructionNotSent: 'u',
  InstructionAccepted: 'a',
  InstructionInDoubt: 'd',
  InstructionConfirmed: 'c',
  InstructionRefused: 'r',
  InstructionUnresolved: 'q',
  ProviderContradicted: 'k',
  LateSuccessPosted: 'l',
  ProviderFeeCorrected: 'e',
  SettlementOverdue: 'o',
};

// Every history of a kind, at the end of a unit. Kinds that settle with their capture are never seen CAPTURED.
const AT_ONCE = /^I(?:F|A(?:F|R|CS)?)?$/;
const IN_STEPS = /^I(?:F|A(?:F|R|C(?:R|S)?)?)?$/;
const REFUNDABLE = /^I(?:F|A(?:F|R|C(?:R|S[vxn]*)?)?)?$/;
/** What a provider was told, and said; the machine of the slice has tests of its own. */
const TOLD = /[iuadcrqkleo]/g;
const PATHS: Readonly<Record<PaymentKind, RegExp>> = {
  P2P: AT_ONCE,
  CASH_IN: IN_STEPS,
  CASH_OUT: IN_STEPS,
  MERCHANT: REFUNDABLE,
  REFUND: AT_ONCE,
  FUNDING: AT_ONCE,
  PAYOUT: REFUNDABLE,
  PAYOUT_RETURN: AT_ONCE,
  STATEMENT_FEE: AT_ONCE,
  STATEMENT_INTEREST: AT_ONCE,
  UNIDENTIFIED_CREDIT: AT_ONCE,
  UNIDENTIFIED_DEBIT: AT_ONCE,
  LATE_COLLECTION: AT_ONCE,
  CORRECTION_CREDIT: AT_ONCE,
  CORRECTION_DEBIT: AT_ONCE,
  WRITE_OFF_LOSS: AT_ONCE,
  WRITE_OFF_GAIN: AT_ONCE,
};

type Net = Readonly<Record<string, bigint>>;

/** What a payment has moved, all in all: written out by hand, from the postings table of the design. */
function netOf(trail: PaymentTrail, { kind, payer = '', payee = '' }: PaymentInitiated): Net {
  const { captured: n, fee: f, providerFee: c } = trail;
  const state = trail.steps.replace(/[vxn]/g, '').at(-1);
  if (state !== 'C' && state !== 'S') return {};
  const isSettled = state === 'S';
  switch (kind) {
    case 'P2P':
    case 'REFUND':
      return { [payer]: -n, [payee]: n };
    case 'FUNDING':
    case 'PAYOUT_RETURN':
      return { float: -n, [payee]: n };
    case 'STATEMENT_FEE':
      return { cost: -n, float: n };
    case 'STATEMENT_INTEREST':
      return { float: -n, income: n };
    case 'UNIDENTIFIED_CREDIT':
      return { float: -n, suspense: n };
    case 'UNIDENTIFIED_DEBIT':
      return { suspense: -n, float: n };
    case 'LATE_COLLECTION':
      return { float: c - n, cost: -c, receivable: n };
    case 'CORRECTION_CREDIT':
      return { suspense: -n, [payee]: n };
    case 'CORRECTION_DEBIT':
      return { [payer]: -n, suspense: n };
    case 'WRITE_OFF_LOSS':
      return { cost: -n, suspense: n };
    case 'WRITE_OFF_GAIN':
      return { suspense: -n, income: n };
    case 'CASH_IN':
      return isSettled ? { [payee]: n, float: c - n, cost: -c } : { [payee]: n, receivable: -n };
    case 'CASH_OUT':
    case 'PAYOUT':
      return isSettled ? { [payer]: -n, float: n + c, cost: -c } : { [payer]: -n, payable: n };
    case 'MERCHANT':
      return isSettled ? { [payer]: -n, [payee]: n - f, fees: f } : { [payer]: -n, clearing: n };
  }
}

/** A payment as its facts and its entries make it, by arithmetic of its own. */
export class PaymentTrail {
  readonly id: string;
  path = '';
  initiated: PaymentInitiated | undefined;
  reversedBecause: string | undefined;
  captured = 0n;
  fee = 0n;
  providerFee = 0n;
  refunded = 0n;
  held = 0n;
  /** The connector that may be at it. */
  liveAt: string | undefined;
  #doubted = false;
  readonly #done = new Set<string>();
  /** Providers whose accounts it may move. */
  readonly #providers = new Set<string>();
  readonly #net = new Map<string, bigint>();
  /** What a provider did after it had ended: it lies in suspense. */
  readonly #late = new Map<string, bigint>();

  constructor(id: string) {
    this.id = id;
  }

  get payer(): string | undefined {
    return this.initiated?.payer;
  }

  get original(): string | undefined {
    return this.initiated?.original;
  }

  /** The path without what only its provider was told, and said. */
  get steps(): string {
    return this.path.replace(TOLD, '');
  }

  /** Whether a provider has said what became of it. */
  get isTold(): boolean {
    return /[ac]/.test(this.path);
  }

  /**
   * Invariant 4: one live instruction, whatever fails. The connector that may be at it is the only one that may be told
   * again; one that has refused is not told again, and nobody is once one has done it.
   */
  #follow(fact: PaymentFact): void {
    const { liveAt } = this;
    switch (fact.type) {
      case 'InstructionIssued':
        invariant(liveAt === undefined || liveAt === fact.connector, `${this.id}: ${fact.connector} beside ${liveAt}`);
        invariant(!this.#done.has(fact.connector), `${this.id}: ${fact.connector} had the last word`);
        invariant(!this.path.includes('c'), `${this.id}: told again after it was done`);
        this.liveAt = fact.connector;
        if (liveAt === undefined) this.#doubted = false;
        return;
      case 'InstructionInDoubt':
      case 'InstructionAccepted':
        this.#doubted = true;
        return;
      case 'InstructionNotSent':
        // That it was not sent again says nothing of the first time.
        if (!this.#doubted) this.liveAt = undefined;
        return;
      case 'InstructionConfirmed':
      case 'InstructionRefused':
        this.#done.add(liveAt ?? '');
        this.liveAt = undefined;
        return;
      case 'PaymentFailed':
      case 'PaymentReversed':
      case 'PaymentSettled':
        invariant(liveAt === undefined, `${this.id}: ${fact.type} while ${liveAt} is at it`);
        return;
      case 'InstructionUnresolved':
      case 'LateSuccessPosted':
      case 'PaymentAuthorized':
      case 'PaymentCaptured':
      case 'PaymentInitiated':
      case 'ProviderContradicted':
      case 'ProviderFeeCorrected':
      case 'RefundRefused':
      case 'RefundReleased':
      case 'RefundReserved':
      case 'SettlementOverdue':
        return;
    }
  }

  add(fact: PaymentFact): void {
    this.#follow(fact);
    this.path += LETTERS[fact.type];
    if (fact.type === 'PaymentInitiated') {
      this.initiated = fact;
      if (fact.provider !== undefined) this.#providers.add(fact.provider);
    }
    if (fact.type === 'InstructionIssued') this.#providers.add(fact.provider);
    if (fact.type === 'ProviderFeeCorrected') this.providerFee = BigInt(fact.providerFee);
    if (fact.type === 'LateSuccessPosted') this.#addLate(BigInt(fact.providerFee));
    if (fact.type === 'PaymentReversed') this.reversedBecause = fact.reason;
    if (fact.type === 'PaymentCaptured') this.captured = BigInt(fact.amount);
    if (fact.type === 'PaymentSettled') {
      this.fee = BigInt(fact.fee);
      this.providerFee = BigInt(fact.providerFee);
    }
    if (fact.type === 'RefundReserved') this.refunded += BigInt(fact.amount);
    if (fact.type === 'RefundReleased') this.refunded -= BigInt(fact.amount);
  }

  hold(wallet: string, amount: bigint): void {
    if (amount === 0n) return;
    invariant(wallet === this.payer, `${this.id} holds on ${wallet}, which does not pay`);
    this.held += amount;
  }

  post(account: string, currency: string, amount: bigint): void {
    invariant(currency === this.initiated?.currency, `${this.id} posts in ${currency}`);
    const [side = '', ...rest] = account.split(':');
    if (rest.length > 0) invariant(this.#systemAccounts(side).includes(account), `${this.id} posts on ${account}`);
    this.#net.set(side, (this.#net.get(side) ?? 0n) + amount);
  }

  #systemAccounts(side: string): string[] {
    const { currency = '' } = this.initiated ?? {};
    if (['clearing', 'fees', 'income', 'suspense'].includes(side)) return [`${side}:${currency}`];
    return [...this.#providers].map((provider) => `${side}:${provider}:${currency}`);
  }

  #addLate(c: bigint): void {
    const n = BigInt(this.initiated?.amount ?? '0');
    const add = (account: string, sum: bigint) => this.#late.set(account, (this.#late.get(account) ?? 0n) + sum);
    if (this.initiated?.kind === 'CASH_IN') {
      add('receivable', -n);
      add('suspense', n);
    } else {
      add('suspense', -n);
      add('cost', -c);
      add('float', n + c);
    }
  }

  /** What of the original this refund takes. */
  share(): bigint {
    if (/[FR]/.test(this.steps)) return 0n;
    return this.steps.includes('C') ? this.captured : BigInt(this.initiated?.amount ?? '0');
  }

  /** Invariant 3, and that money moved as the state says; true at the end of a unit. */
  assertConsistent(): void {
    const { initiated } = this;
    invariant(initiated !== undefined, `${this.id} was never initiated`);
    invariant(PATHS[initiated.kind].test(this.steps), `${this.id}: ${this.path} is no path of ${initiated.kind}`);
    const amount = BigInt(initiated.amount);
    invariant(this.captured <= amount, `${this.id}: more captured than asked`);
    const isHeld = this.steps === 'IA' && initiated.payer !== undefined;
    invariant(this.held === (isHeld ? amount : 0n), `${this.id}: ${this.held.toString()} held in ${this.path}`);
    const net = new Map(Object.entries(netOf(this, initiated)));
    for (const [account, sum] of this.#late) net.set(account, (net.get(account) ?? 0n) + sum);
    const expected = [...net].filter(([, sum]) => sum !== 0n);
    const actual = [...this.#net].filter(([, sum]) => sum !== 0n);
    invariant(
      expected.length === actual.length && expected.every(([account, sum]) => this.#net.get(account) === sum),
      `${this.id}: ${initiated.kind} in ${this.path} moved [${actual.join(' ')}], not [${expected.join(' ')}]`,
    );
    const feeMax = (this.captured * BigInt(initiated.feeBps ?? 0)) / 10_000n;
    invariant(this.fee === (this.path.includes('S') ? feeMax : 0n), `${this.id}: a fee of ${this.fee.toString()}`);
  }
}
