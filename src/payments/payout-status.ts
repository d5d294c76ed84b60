import { formatMinor } from '../kernel/money.ts';
import type { PayoutStatus } from '../machines/payout/payout.facts.ts';
import type { SliceStatus } from '../machines/payout/slice.machine.ts';

/**
 * Where the money of a payout is, by the status of its slices; together they are its amount. Decimal strings of minor
 * units.
 */
export interface PayoutMoney {
  /** Held on the treasury: no provider has it. */
  readonly pending: string;
  /** With a provider, who has taken it on. */
  readonly sent: string;
  /** Nobody knows: it is being asked for. */
  readonly inDoubt: string;
  /** Paid. */
  readonly settled: string;
  /** Not paid: it is on the treasury again. */
  readonly failed: string;
  /** Of what was settled: what a provider has sent back since. */
  readonly returned: string;
}

/**
 * How far a payout has come as a whole.
 *
 * - `pending`: all of it waits for its provider
 * - `processing`: a part of it may still move
 * - `settled`, `partially_settled`: it has ended, and all of it, or a part, was paid
 * - `failed`: nothing was paid; `cancelled`: because somebody cancelled it
 */
export type WholeStatus = 'pending' | 'processing' | 'settled' | 'partially_settled' | 'failed' | 'cancelled';

export interface SliceSum {
  readonly status: SliceStatus;
  readonly amount: bigint;
  readonly returned: bigint;
}

export interface PayoutFigures {
  readonly status: WholeStatus;
  readonly money: PayoutMoney;
}

/** @param slices every slice, or sums of them by status. Of a FAILED payout there are none: nothing of it was begun */
export function figuresOf(
  { state, amount }: { readonly state: PayoutStatus; readonly amount: bigint },
  slices: readonly SliceSum[],
): PayoutFigures {
  const sums: Record<SliceStatus, bigint> = { pending: 0n, sent: 0n, in_doubt: 0n, settled: 0n, failed: 0n };
  let returned = 0n;
  for (const slice of slices) {
    sums[slice.status] += slice.amount;
    returned += slice.returned;
  }
  if (state === 'FAILED') sums.failed = amount;
  return {
    status: statusOf(state, sums, amount),
    money: {
      pending: formatMinor(sums.pending),
      sent: formatMinor(sums.sent),
      inDoubt: formatMinor(sums.in_doubt),
      settled: formatMinor(sums.settled),
      failed: formatMinor(sums.failed),
      returned: formatMinor(returned),
    },
  };
}

function statusOf(state: PayoutStatus, sums: Readonly<Record<SliceStatus, bigint>>, amount: bigint): WholeStatus {
  if (sums.pending === amount) return 'pending';
  if (sums.pending + sums.sent + sums.in_doubt > 0n) return 'processing';
  if (sums.settled === amount) return 'settled';
  if (sums.settled > 0n) return 'partially_settled';
  return state === 'CANCELLED' ? 'cancelled' : 'failed';
}
