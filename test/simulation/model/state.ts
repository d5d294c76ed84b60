import type { Kind } from './table.ts';

/** A wallet as the model has it. Never changed in place: what was true at a position can be looked up later. */
export interface Wallet {
  readonly id: string;
  readonly type: 'customer' | 'merchant' | 'treasury';
  readonly currency: string;
  readonly status: 'OPEN' | 'FROZEN' | 'CLOSED';
  readonly posted: bigint;
  readonly held: bigint;
  readonly limit: bigint;
  readonly feeBps: bigint;
  readonly version: number;
}

export type Status = 'INITIATED' | 'AUTHORIZED' | 'CAPTURED' | 'SETTLED' | 'FAILED' | 'REVERSED';

export interface Payment {
  readonly id: string;
  readonly kind: Kind;
  readonly status: Status;
  readonly amount: bigint;
  readonly currency: string;
  readonly payer: string | undefined;
  readonly payee: string | undefined;
  readonly provider: string | undefined;
  readonly original: string | undefined;
  readonly feeBps: bigint;
  readonly held: bigint;
  readonly authorized: bigint;
  readonly captured: bigint;
  readonly fee: bigint;
  readonly providerFee: bigint;
  /** What refunds have taken or reserved of it. */
  readonly refunded: bigint;
  readonly reason: string | undefined;
  readonly expiresAt: string | undefined;
  readonly settlesAt: string | undefined;
  /** The payout that it is a slice of. */
  readonly payout: string | undefined;
  /** What connectors were told of it, the oldest first. */
  readonly attempts: readonly Attempt[];
  readonly stage: Stage;
  /** Asking does not help. */
  readonly unresolved: boolean;
  readonly version: number;
}

/** One instruction to a connector, and what is known of it. */
export interface Attempt {
  readonly number: number;
  readonly connector: string;
  readonly provider: string;
  readonly sendBefore: string;
  readonly resendAt: string | undefined;
  readonly known: 'on its way' | 'not sent' | 'accepted' | 'in doubt' | 'sent again' | 'done' | 'refused' | 'done late';
  /** The provider's reference is known, and can be asked for. */
  readonly hasRef: boolean;
  /** What it said last against its own word. */
  readonly contradicted?: string;
}

/** How far it has come with providers. */
export type Stage = 'pending' | 'sent' | 'in_doubt' | 'settled' | 'failed';

export interface Payout {
  readonly id: string;
  readonly status: 'OPEN' | 'CANCELLED' | 'FAILED';
  readonly amount: bigint;
  readonly payer: string;
  readonly slices: readonly string[];
  readonly version: number;
}

/** A connector's breaker. */
export interface Breaker {
  readonly state: 'CLOSED' | 'OPEN' | 'HALF_OPEN';
  readonly failures: number;
  readonly openUntil: string | undefined;
  readonly since: number;
}

/** Whether an instruction is out whose outcome is not final. */
export function isLive({ stage, attempts }: Pick<Payment, 'stage' | 'attempts'>): boolean {
  return stage === 'sent' || stage === 'in_doubt' || (stage === 'pending' && attempts.at(-1)?.known === 'on its way');
}

export const free = (wallet: Wallet): bigint => wallet.posted - wallet.held + wallet.limit;

/** What is known at one position of the log. */
export interface View {
  wallet(id: string): Wallet | undefined;
  payment(id: string): Payment | undefined;
  payout(id: string): Payout | undefined;
}

/** The states of all things of one sort, by the position at which they came to be. */
export class History<State extends object> {
  readonly #states = new Map<string, { readonly position: number; readonly state: State }[]>();

  put(id: string, position: number, state: State): void {
    const states = this.#states.get(id);
    if (states === undefined) this.#states.set(id, [{ position, state }]);
    else states.push({ position, state });
  }

  now(id: string): State | undefined {
    return this.#states.get(id)?.at(-1)?.state;
  }

  at(id: string, position: number): State | undefined {
    return this.#states.get(id)?.findLast((one) => one.position <= position)?.state;
  }

  /** The positions at which it changed, the newest first. */
  changes(id: string): number[] {
    return (this.#states.get(id) ?? []).map(({ position }) => position).reverse();
  }

  all(): State[] {
    return [...this.#states.values()].map((states) => (states.at(-1) as { state: State }).state);
  }

  /** A state that it had, by what is sought. */
  find(id: string, sought: (state: State) => boolean): State | undefined {
    return this.#states.get(id)?.find(({ state }) => sought(state))?.state;
  }
}
