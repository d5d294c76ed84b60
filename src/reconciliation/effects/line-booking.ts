import type { Booking } from './core.ts';

/**
 * How the core's ledger has a line. Every line moves our account at the provider once: with the payment that it is matched
 * with, or by itself. `none`: not yet; `person`: it was in suspense, and people have said what becomes of it in a case.
 */
export type BookedAs = 'none' | 'payment' | 'suspense' | 'fee' | 'interest' | 'person';

export interface BookedLine {
  readonly id: string;
  readonly profile: string;
  /** Signed minor units, credit +. */
  readonly amount: bigint;
  readonly currency: string;
  readonly bookedAs: BookedAs;
  /** How many bookings it has had: each has a key of its own. */
  readonly bookings: number;
}

/**
 * What the core must book so that the line stands as wanted. Money in suspense goes out of it as it came in, by the contrary
 * kind. What was booked as a fee or as interest, or what a person has moved, has no way back but a person's.
 *
 * @returns undefined: a person must
 */
export function bookingsFor(line: BookedLine, wanted: Exclude<BookedAs, 'person'>): readonly Booking[] | undefined {
  if (line.bookedAs === wanted) return [];
  if (line.bookedAs === 'fee' || line.bookedAs === 'interest' || line.bookedAs === 'person') return undefined;
  const kinds = [
    ...(line.bookedAs === 'suspense' ? [contrary[kindOf(line, 'suspense')]] : []),
    ...(wanted === 'none' || wanted === 'payment' ? [] : [kindOf(line, wanted)]),
  ];
  const amount = line.amount < 0n ? -line.amount : line.amount;
  return kinds.map((kind, index) => ({
    key: `line:${line.id}:${line.bookings + index + 1}`,
    kind,
    amount,
    currency: line.currency,
    provider: line.profile,
  }));
}

type LineKind = 'UNIDENTIFIED_CREDIT' | 'UNIDENTIFIED_DEBIT' | 'STATEMENT_FEE' | 'STATEMENT_INTEREST';

const contrary: Readonly<Record<LineKind, LineKind>> = {
  UNIDENTIFIED_CREDIT: 'UNIDENTIFIED_DEBIT',
  UNIDENTIFIED_DEBIT: 'UNIDENTIFIED_CREDIT',
  STATEMENT_FEE: 'STATEMENT_FEE',
  STATEMENT_INTEREST: 'STATEMENT_INTEREST',
};

function kindOf({ amount }: BookedLine, wanted: 'suspense' | 'fee' | 'interest'): LineKind {
  switch (wanted) {
    case 'suspense':
      return amount < 0n ? 'UNIDENTIFIED_DEBIT' : 'UNIDENTIFIED_CREDIT';
    case 'fee':
      return 'STATEMENT_FEE';
    case 'interest':
      return 'STATEMENT_INTEREST';
  }
}
