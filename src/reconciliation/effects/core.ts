/** What reconciliation has the core do. Each is done once, however often it is asked for: the key says which it is. */
export interface Core {
  /** A statement proves that the provider has settled. What is settled already is linked, and posts a difference of fees. */
  settle(proof: SettlementProof): Promise<CoreAnswer>;
  /** Notes with the statements what lines are. The newest word holds. */
  mark(marks: readonly LineMark[]): Promise<void>;
  /**
   * Has the connector of a payment ask its provider what became of it. What it says comes by the feed, as always.
   *
   * @throws CoreUnreachableError: nothing is known, and it is asked again, which is harmless
   */
  ask(paymentId: string, key: string): Promise<Asked>;
  /** Books a line that is nobody's payment, or a correction. */
  book(booking: Booking): Promise<CoreAnswer>;
}

export interface LineMark {
  readonly lineId: string;
  readonly status: 'unmatched' | 'matched' | 'known' | 'mismatch' | 'reversed';
  /** Of a line that is matched: the payment or slice, the first one where there are several. */
  readonly paymentId?: string;
}

export interface SettlementProof {
  readonly key: string;
  readonly paymentId: string;
  /** A connector was told of it: then its outcome is the provider's word. */
  readonly instructed: boolean;
  readonly providerRef: string;
  /** Minor units. */
  readonly providerFee: bigint;
}

export interface Booking {
  readonly key: string;
  readonly kind: string;
  /** Minor units, positive. */
  readonly amount: bigint;
  readonly currency: string;
  readonly provider?: string;
  readonly payer?: string;
  readonly payee?: string;
}

/** The core's word, durable. Whoever does not get one asks again with the same key. */
export type CoreAnswer =
  | { readonly outcome: 'done'; readonly paymentId: string }
  /** It was refused: people have to look at it. `code` is of docs/errors.md. */
  | { readonly outcome: 'refused'; readonly code: string; readonly message: string };

export type Asked =
  { readonly outcome: 'done'; readonly said: string } | Extract<CoreAnswer, { readonly outcome: 'refused' }>;

/** The core cannot be reached, or has too much to do: nothing is known, and it is asked again. */
export class CoreUnreachableError extends Error {
  override readonly name = 'CoreUnreachableError';
  readonly code = 'CoreUnreachable';
}
