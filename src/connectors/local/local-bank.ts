import type { BankPaymentStatus, PayoutSlice } from '../bank-connector.ts';

/** What the bank does with the next payments. */
export interface LocalBehaviour {
  readonly latencyMs: number;
  /**
   * `confirmed`, `pending`: taken. `refused`: finally. `unknown`: taken, and nobody is told. `lost`: not taken, and nobody
   * is told. `not_sent`: it cannot be reached.
   */
  readonly outcome: 'confirmed' | 'pending' | 'refused' | 'unknown' | 'lost' | 'not_sent';
  /** Minor units. */
  readonly fee?: string;
  readonly code: string;
  readonly elsewhere: boolean;
  readonly healthy: boolean;
  /** Questions are not answered. */
  readonly mute: boolean;
}

export interface LocalPayment {
  readonly providerRef: string;
  readonly slice: PayoutSlice;
  readonly status: 'pending' | 'confirmed' | 'settled' | 'refused';
  readonly fee?: string;
  readonly code: string;
  readonly elsewhere: boolean;
}

/**
 * A bank in memory. Of the wallet's own rail nothing moves outside, so what it forgets with the process is nothing; in
 * tests it outlives the connectors, as a bank does.
 */
export class LocalBank {
  readonly #payments = new Map<string, LocalPayment>();
  readonly #refs = new Map<string, string>();
  /** The last `behave` wins over the settings of a connector; each of `next` is for one payment. */
  #behaviour: Partial<LocalBehaviour> = {};
  readonly #next: Partial<LocalBehaviour>[] = [];

  /** How it behaves from now on. Nothing: as the settings say. */
  behave(behaviour: Partial<LocalBehaviour>): void {
    this.#behaviour = behaviour;
  }

  /** How it behaves for the next payments, one each. */
  next(...behaviours: readonly Partial<LocalBehaviour>[]): void {
    this.#next.push(...behaviours);
  }

  /** The behaviour for what comes now: of a payment it takes one of `next`. */
  behaviour(settings: LocalBehaviour, payment: boolean): LocalBehaviour {
    return { ...settings, ...this.#behaviour, ...(payment ? this.#next.shift() : undefined) };
  }

  /** The same key is one payment, whatever else is said with it the second time. */
  take(slice: PayoutSlice, status: LocalPayment['status'], { fee, code, elsewhere }: LocalBehaviour): LocalPayment {
    const known = this.#payments.get(slice.idempotencyKey);
    if (known !== undefined) return known;
    const payment: LocalPayment = {
      providerRef: `local-${this.#payments.size + 1}`,
      slice,
      status,
      code,
      elsewhere,
      ...(fee === undefined ? {} : { fee }),
    };
    this.#payments.set(slice.idempotencyKey, payment);
    this.#refs.set(payment.providerRef, slice.idempotencyKey);
    return payment;
  }

  /** What became of a payment that was pending, or what is said of it now. */
  say(key: string, status: LocalPayment['status'], more: Partial<Pick<LocalPayment, 'fee' | 'code'>> = {}): void {
    const payment = this.#payments.get(key);
    if (payment === undefined) throw new Error(`the bank has no payment ${key}`);
    this.#payments.set(key, { ...payment, status, ...more });
  }

  find(by: { readonly key?: string; readonly providerRef?: string }): LocalPayment | undefined {
    const key = by.key ?? this.#refs.get(by.providerRef ?? '');
    return key === undefined ? undefined : this.#payments.get(key);
  }

  payments(): readonly LocalPayment[] {
    return [...this.#payments.values()];
  }
}

export function statusOf({ providerRef, status, fee, code, elsewhere }: LocalPayment): BankPaymentStatus {
  switch (status) {
    case 'pending':
      return { status, providerRef };
    case 'confirmed':
    case 'settled':
      return { status, providerRef, ...(fee === undefined ? {} : { providerFee: fee }) };
    case 'refused':
      return { status, code, elsewhere, providerRef };
  }
}
