import { commandIdOf, paymentIdOf } from '../../src/kernel/ids.ts';
import type { Seeded } from '../../bench/load/seeded.ts';

/** Who asks, in every order of the chaos. */
export const asker = { service: 'chaos', tenant: 'chaos', principal: 'service:chaos' } as const;
export const currency = 'XOF';
export const customers = ['ada', 'ben', 'cem', 'dia', 'eva', 'fay', 'gil', 'hal'] as const;
export const merchants = ['shop', 'cafe'] as const;
/** Of the merchants, in basis points. */
export const feeBps = 150n;
export const openingBalance = 20_000n;
/** More than anybody can ever have: refused, and recorded. */
const tooMuch = 1_000_000_000_000n;

export interface Pay {
  readonly type: 'Pay';
  readonly key: string;
  readonly kind: 'P2P' | 'CASH_IN' | 'CASH_OUT' | 'MERCHANT';
  readonly payer?: string;
  readonly payee?: string;
  readonly provider?: string;
  readonly amount: bigint;
  readonly upTo: 'AUTHORIZED' | 'SETTLED';
}
interface Step {
  readonly key: string;
  /** The payment that it is about. */
  readonly of: Pay;
}
export type Order =
  | Pay
  | (Step & { readonly type: 'Capture'; readonly amount: bigint })
  | (Step & { readonly type: 'Settle'; readonly captured: bigint })
  | (Step & { readonly type: 'Reverse' })
  | (Step & { readonly type: 'Refund'; readonly amount: bigint });

/** What a door said of an order. Whatever can change when the order is sent again is left out. */
export type Answer =
  | {
      readonly done: true;
      readonly paymentId: string;
      readonly status: string;
      readonly version: number;
      readonly captured: string;
    }
  | { readonly done: false; readonly refusal: string; readonly paymentId: string | undefined };

/** The id of the command: what the log knows it by. */
export function commandOf({ key }: Order): string {
  return commandIdOf(asker.tenant, asker.principal, key);
}

/** The payment whose facts the order leaves. */
export function paymentOf(order: Order): string {
  const of = order.type === 'Pay' || order.type === 'Refund' ? order : order.of;
  return paymentIdOf(asker.tenant, asker.principal, of.key);
}

/** A payment by chance. One in twelve is more than the payer can have. */
export function firstOrder(random: Seeded, key: string): Pay {
  const [payer, payee] = twoOf(random);
  const merchant = merchants[random.below(merchants.length)] ?? 'shop';
  const amount = 1n + BigInt(random.below(300));
  const pay = { type: 'Pay', key, amount } as const;
  switch (random.below(12)) {
    case 0:
      return { ...pay, kind: 'P2P', payer, payee, amount: tooMuch, upTo: 'SETTLED' };
    case 1:
    case 2:
      return { ...pay, kind: 'CASH_IN', payee, provider: 'cash', upTo: 'SETTLED' };
    case 3:
      return { ...pay, kind: 'CASH_OUT', payer, provider: 'cash', upTo: 'SETTLED' };
    case 4:
      return { ...pay, kind: 'MERCHANT', payer, payee: merchant, upTo: 'SETTLED' };
    case 5:
    case 6:
      return { ...pay, kind: 'MERCHANT', payer, payee: merchant, upTo: 'AUTHORIZED' };
    case 7:
      return { ...pay, kind: 'P2P', payer, payee, upTo: 'AUTHORIZED' };
    default:
      return { ...pay, kind: 'P2P', payer, payee, upTo: 'SETTLED' };
  }
}

/** What is asked next about the payment; undefined when its story is over. */
export function nextOrder(random: Seeded, order: Order, answer: Answer): Order | undefined {
  if (!answer.done) return undefined;
  const key = `${order.key}+`;
  switch (order.type) {
    case 'Pay': {
      if (order.upTo === 'AUTHORIZED') {
        const lot = random.below(10);
        if (lot < 4) return { type: 'Reverse', key, of: order };
        const amount = lot < 7 ? order.amount : 1n + BigInt(random.below(Number(order.amount)));
        return { type: 'Capture', key, of: order, amount };
      }
      if (order.kind !== 'MERCHANT' || random.below(2) === 0) return undefined;
      return { type: 'Refund', key, of: order, amount: 1n + BigInt(random.below(Number(order.amount))) };
    }
    case 'Capture':
      return order.of.kind === 'MERCHANT' ? { type: 'Settle', key, of: order.of, captured: order.amount } : undefined;
    case 'Settle':
    case 'Reverse':
    case 'Refund':
      return undefined;
  }
}

function twoOf(random: Seeded): [string, string] {
  const one = random.below(customers.length);
  const other = (one + 1 + random.below(customers.length - 1)) % customers.length;
  return [customers[one] ?? '', customers[other] ?? ''];
}
