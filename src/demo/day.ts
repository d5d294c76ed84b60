import { create } from '@bufbuild/protobuf';
import { WalletType } from '../gateway/rpc/gen/kora/v1/account_pb.js';
import {
  type Command,
  CommandSchema,
  type CommandResult,
  PaymentKind,
  PaymentStatus,
  PayUpTo,
  type Payment,
} from '../gateway/rpc/gen/kora/v1/payment_pb.js';
import { Random } from './random.ts';

/** One currency of the demo: XOF has no decimals, GHS has two. */
interface Market {
  readonly currency: string;
  readonly customers: readonly string[];
  readonly merchants: readonly string[];
  /** Operators through whom cash comes and goes. */
  readonly providers: readonly string[];
  /** A usual amount, in minor units. */
  readonly usual: number;
}

/** What may come next for a payment that is not final. */
type FollowUp = 'capture' | 'capture-part' | 'reverse' | 'settle' | 'refund' | 'settle-out';

/**
 * A lifelike day of a small country: everybody gets cash in the morning, people pay each other and shops, some shops
 * authorize first and capture less, some change their mind, some customers try to spend what they do not have.
 *
 * Every hour is one set of commands that do not rely on each other; what follows from their answers comes later.
 */
export class Day {
  readonly customers: readonly string[];
  readonly #markets: readonly Market[];
  readonly #random: Random;
  readonly #date: string;
  #due: { readonly hour: number; readonly what: FollowUp; readonly payment: Payment }[] = [];
  #number = 0;

  constructor(options: { customers: number; merchants: number; seed: number; date: string }) {
    this.#random = new Random(options.seed);
    this.#date = options.date;
    const names = (what: string, count: number, share: number, first: boolean): string[] => {
      const border = Math.round(count * share);
      const from = first ? 0 : border;
      return Array.from({ length: first ? border : count - border }, (_, i) => `${what}-${from + i + 1}`);
    };
    const market = (currency: string, first: boolean, usual: number, providers: readonly string[]): Market => ({
      currency,
      customers: names('customer', options.customers, 0.7, first),
      merchants: names('merchant', options.merchants, 0.7, first),
      providers,
      usual,
    });
    this.#markets = [
      market('XOF', true, 2_500, ['orange', 'wave', 'cash']),
      market('GHS', false, 4_000, ['momo', 'cash']),
    ];
    this.customers = this.#markets.flatMap(({ customers }) => customers);
  }

  /** Before the day begins: everybody has a wallet, and every market a funded treasury. */
  opening(): Command[] {
    return this.#markets.flatMap(({ currency, customers, merchants }) => [
      ...customers.map((id) => this.#open(id, currency, WalletType.CUSTOMER)),
      ...merchants.map((id) => this.#open(id, currency, WalletType.MERCHANT, this.#random.pick([50, 100, 150]))),
      this.#open(`treasury-${currency}`, currency, WalletType.TREASURY),
    ]);
  }

  /** Six in the morning: cash for everybody, and the banks fund the treasuries. */
  morning(): Command[] {
    return this.#markets.flatMap((market) => [
      this.#pay(PaymentKind.FUNDING, market, 6, {
        payee: `treasury-${market.currency}`,
        provider: 'bank:BCEAO',
        amount: String(market.usual * 100_000),
      }),
      ...market.customers.map((payee) =>
        this.#pay(PaymentKind.CASH_IN, market, 6, {
          payee,
          provider: this.#random.pick(market.providers),
          providerFee: String(this.#random.whole(0, 20)),
          amount: String(market.usual * this.#random.whole(4, 40)),
        }),
      ),
    ]);
  }

  /** New payments of an hour, and what is due of earlier ones. */
  hour(hour: number, payments: number): Command[] {
    const due = this.#due.filter((follow) => follow.hour <= hour);
    this.#due = this.#due.filter((follow) => follow.hour > hour);
    const commands = due.map(({ what, payment }) => this.#follow(what, payment, hour));
    for (let i = 0; i < payments; i++) commands.push(this.#something(hour));
    return commands;
  }

  /** True while something is still due. */
  get unfinished(): boolean {
    return this.#due.length > 0;
  }

  /** Learns what became of a payment, and plans what follows. */
  learn(payment: Payment, hour: number): void {
    const plan = (what: FollowUp, hours: number): void => void this.#due.push({ hour: hour + hours, what, payment });
    const { kind, status } = payment;
    if (status === PaymentStatus.AUTHORIZED) {
      plan(this.#random.chance(0.15) ? 'reverse' : this.#random.chance(0.4) ? 'capture-part' : 'capture', 1);
    } else if (status === PaymentStatus.CAPTURED && kind === PaymentKind.MERCHANT) {
      plan('settle', 2);
    } else if (status === PaymentStatus.CAPTURED && kind === PaymentKind.CASH_OUT) {
      plan(this.#random.chance(0.05) ? 'reverse' : 'settle-out', 1);
    } else if (status === PaymentStatus.SETTLED && kind === PaymentKind.MERCHANT && this.#random.chance(0.06)) {
      if (payment.refunded === '0') plan('refund', 1);
    }
  }

  #something(hour: number): Command {
    const random = this.#random;
    const market = random.chance(0.7) ? (this.#markets[0] as Market) : (this.#markets[1] as Market);
    const payer = random.pick(market.customers);
    const amount = String(Math.max(1, Math.round(market.usual * (0.05 + random.next() * 1.2))));
    const dice = random.next();
    if (dice < 0.04) {
      // Far more than anybody has: refused, and the refusal is recorded.
      const payee = this.#other(market, payer);
      return this.#pay(PaymentKind.P2P, market, hour, { payer, payee, amount: String(market.usual * 10_000) });
    }
    if (dice < 0.5)
      return this.#pay(PaymentKind.P2P, market, hour, { payer, payee: this.#other(market, payer), amount });
    if (dice < 0.85) {
      const upTo = random.chance(0.4) ? PayUpTo.AUTHORIZED : random.chance(0.5) ? PayUpTo.CAPTURED : PayUpTo.SETTLED;
      return this.#pay(PaymentKind.MERCHANT, market, hour, {
        payer,
        payee: random.pick(market.merchants),
        amount,
        upTo,
      });
    }
    const provider = random.pick(market.providers);
    if (dice < 0.93) {
      return this.#pay(PaymentKind.CASH_IN, market, hour, { payee: payer, provider, amount: `${amount}0` });
    }
    return this.#pay(PaymentKind.CASH_OUT, market, hour, { payer, provider, amount, upTo: PayUpTo.CAPTURED });
  }

  #other(market: Market, payer: string): string {
    const payee = this.#random.pick(market.customers);
    return payee === payer ? (market.customers.find((id) => id !== payer) as string) : payee;
  }

  #follow(what: FollowUp, payment: Payment, hour: number): Command {
    const { paymentId, currency } = payment;
    const idempotencyKey = this.#key(what);
    const effectiveAt = this.#at(hour);
    switch (what) {
      case 'capture':
        return command('capture', { idempotencyKey, paymentId, effectiveAt });
      case 'capture-part':
        return command('capture', { idempotencyKey, paymentId, effectiveAt, amount: part(payment.amount) });
      case 'reverse':
        return command('reverse', { idempotencyKey, paymentId, effectiveAt });
      case 'settle':
        return command('settle', { idempotencyKey, paymentId, effectiveAt });
      case 'settle-out':
        return command('settle', { idempotencyKey, paymentId, effectiveAt, providerFee: '10' });
      case 'refund':
        return command('refund', {
          idempotencyKey,
          original: paymentId,
          currency,
          effectiveAt,
          amount: this.#random.chance(0.5) ? payment.captured : part(payment.captured),
          upTo: PayUpTo.SETTLED,
        });
    }
  }

  #open(accountId: string, currency: string, walletType: WalletType, feeBps?: number): Command {
    return command('openAccount', {
      idempotencyKey: `open ${accountId}`,
      accountId,
      currency,
      walletType,
      ...(feeBps === undefined ? {} : { feeBps }),
    });
  }

  #pay(
    kind: PaymentKind,
    { currency }: Market,
    hour: number,
    fields: { amount: string } & Record<string, unknown>,
  ): Command {
    const idempotencyKey = this.#key('pay');
    return command('pay', {
      idempotencyKey,
      kind,
      currency,
      upTo: PayUpTo.SETTLED,
      effectiveAt: this.#at(hour),
      ...fields,
    });
  }

  #key(what: string): string {
    return `${this.#date} ${what} ${++this.#number}`;
  }

  #at(hour: number): string {
    const minute = Math.min(59, Math.floor(this.#random.next() * 60));
    const [day, clock] = [Math.floor(hour / 24), hour % 24];
    const date = new Date(`${this.#date}T00:00:00.000Z`);
    return new Date(date.getTime() + ((day * 24 + clock) * 60 + minute) * 60_000).toISOString();
  }
}

/** Something between a third and all of it. */
function part(amount: string): string {
  const whole = BigInt(amount);
  return (whole - whole / 3n).toString();
}

type Cases = Exclude<Command['command'], { case: undefined }>;

function command(which: Cases['case'], value: Record<string, unknown>): Command {
  return create(CommandSchema, { command: { case: which, value } as never });
}

/** The payment of a result, if it has one. */
export function paymentOf({ result }: CommandResult): Payment | undefined {
  if (result.case === 'refused') return result.value.payment;
  if (result.case !== 'done') return undefined;
  return result.value.subject.case === 'payment' ? result.value.subject.value : undefined;
}
