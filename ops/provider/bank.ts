/** The provider's own books: what it was asked to do, and what it did. */

export type PaymentStatus = 'pending' | 'confirmed' | 'settled' | 'refused';

export interface Payment {
  readonly id: string;
  readonly reference: string;
  readonly operation: 'disburse' | 'collect';
  readonly amount: string;
  readonly currency: string;
  readonly account: string;
  readonly fee: string;
  readonly takenAt: string;
  status: PaymentStatus;
  code?: string;
}

export interface Fees {
  /** Hundredths of a per cent of the amount, rounded up, and so many minor units. */
  readonly basisPoints: bigint;
  readonly fixed: bigint;
}

export interface Sum {
  readonly count: number;
  readonly amount: string;
  readonly fees: string;
}

export interface Totals {
  readonly payments: number;
  readonly pending: number;
  readonly refused: number;
  /** By currency: money that has moved, settled or not. */
  readonly moved: Readonly<Record<string, { readonly collected: Sum; readonly disbursed: Sum }>>;
  /** References under which money moved, or may still move, more than once. */
  readonly doubles: readonly { readonly reference: string; readonly ids: readonly string[] }[];
}

export class Bank {
  readonly #payments = new Map<string, Payment>();
  readonly #byReference = new Map<string, Payment[]>();
  readonly #fees: Fees;

  constructor(fees: Fees) {
    this.#fees = fees;
  }

  take(asked: Omit<Payment, 'fee' | 'takenAt'>): Payment {
    const { basisPoints, fixed } = this.#fees;
    const fee = (BigInt(asked.amount) * basisPoints + 9_999n) / 10_000n + fixed;
    const payment = { ...asked, fee: String(fee), takenAt: new Date().toISOString() };
    this.#payments.set(payment.id, payment);
    this.#byReference.set(payment.reference, [...this.with(payment.reference), payment]);
    return payment;
  }

  find(id: string): Payment | undefined {
    return this.#payments.get(id);
  }

  /** More than one only where keys are not honoured. */
  with(reference: string): readonly Payment[] {
    return this.#byReference.get(reference) ?? [];
  }

  all(): readonly Payment[] {
    return [...this.#payments.values()];
  }

  totals(): Totals {
    const moved: Record<string, { collected: Sum; disbursed: Sum }> = {};
    let [pending, refused] = [0, 0];
    for (const payment of this.#payments.values()) {
      if (payment.status === 'pending') pending += 1;
      else if (payment.status === 'refused') refused += 1;
      else {
        const sums = (moved[payment.currency] ??= { collected: nothing, disbursed: nothing });
        const side = payment.operation === 'collect' ? 'collected' : 'disbursed';
        sums[side] = plus(sums[side], payment);
      }
    }
    const doubles = [...this.#byReference].flatMap(([reference, payments]) => {
      const ids = payments.filter(({ status }) => status !== 'refused').map(({ id }) => id);
      return ids.length > 1 ? [{ reference, ids }] : [];
    });
    return { payments: this.#payments.size, pending, refused, moved, doubles };
  }
}

const nothing: Sum = { count: 0, amount: '0', fees: '0' };

function plus({ count, amount, fees }: Sum, payment: Payment): Sum {
  return {
    count: count + 1,
    amount: String(BigInt(amount) + BigInt(payment.amount)),
    fees: String(BigInt(fees) + BigInt(payment.fee)),
  };
}
