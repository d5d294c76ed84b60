import { feeBps, type Order } from './orders.ts';

/** What an order does to one wallet. */
export interface Movement {
  readonly posted: bigint;
  readonly held: bigint;
}
export type Movements = ReadonlyMap<string, Movement>;

/** What an order comes to when it is carried out: plain arithmetic, shared with nothing of the product. */
export interface Consequence {
  /** The facts on the payment, all in one unit. */
  readonly facts: readonly string[];
  readonly status: string;
  readonly moves: Movements;
}

const whole = ['PaymentInitiated', 'PaymentAuthorized', 'PaymentCaptured', 'PaymentSettled'];
/** The facts of a payment that was refused, and recorded. */
export const refusedFacts: readonly string[] = ['PaymentInitiated', 'PaymentFailed'];

export function consequenceOf(order: Order): Consequence {
  switch (order.type) {
    case 'Pay': {
      const { kind, payer, payee, amount, upTo } = order;
      if (upTo === 'AUTHORIZED') {
        return { facts: whole.slice(0, 2), status: upTo, moves: movesOf([payer, 0n, amount]) };
      }
      const arrives = kind === 'MERCHANT' ? lessFee(amount) : amount;
      return { facts: whole, status: upTo, moves: movesOf([payer, -amount, 0n], [payee, arrives, 0n]) };
    }
    case 'Capture': {
      const { of, amount } = order;
      const isPurchase = of.kind === 'MERCHANT';
      const taken: Move = [of.payer, -amount, -of.amount];
      return isPurchase
        ? { facts: ['PaymentCaptured'], status: 'CAPTURED', moves: movesOf(taken) }
        : { facts: whole.slice(2), status: 'SETTLED', moves: movesOf(taken, [of.payee, amount, 0n]) };
    }
    case 'Settle':
      return {
        facts: ['PaymentSettled'],
        status: 'SETTLED',
        moves: movesOf([order.of.payee, lessFee(order.captured), 0n]),
      };
    case 'Reverse':
      return { facts: ['PaymentReversed'], status: 'REVERSED', moves: movesOf([order.of.payer, 0n, -order.of.amount]) };
    case 'Refund': {
      const { of, amount } = order;
      return { facts: whole, status: 'SETTLED', moves: movesOf([of.payee, -amount, 0n], [of.payer, amount, 0n]) };
    }
  }
}

/** Adds what happened to what there was. */
export function addMoves(to: Map<string, Movement>, moves: Movements): void {
  for (const [wallet, { posted, held }] of moves) {
    const before = to.get(wallet) ?? { posted: 0n, held: 0n };
    to.set(wallet, { posted: before.posted + posted, held: before.held + held });
  }
}

export function movementsText(moves: Movements): string {
  const entries = [...moves].filter(([, { posted, held }]) => posted !== 0n || held !== 0n);
  return entries
    .map(([wallet, { posted, held }]) => `${wallet} ${posted.toString()} (held ${held.toString()})`)
    .sort()
    .join(', ');
}

type Move = readonly [wallet: string | undefined, posted: bigint, held: bigint];

function movesOf(...moves: readonly Move[]): Movements {
  const made = new Map<string, Movement>();
  for (const [wallet, posted, held] of moves) {
    if (wallet !== undefined) made.set(wallet, { posted, held });
  }
  return made;
}

/** Our fee is rounded down. */
function lessFee(amount: bigint): bigint {
  return amount - (amount * feeBps) / 10_000n;
}
