import type { Runtime } from '../actors/runtime.ts';
import { invariant } from '../kernel/invariant.ts';
import { formatMinor } from '../kernel/money.ts';
import type { Refusal } from '../kernel/refusal.ts';
import { refusalOfFailed } from '../machines/payment/failure.ts';
import type { PaymentSnapshot } from '../machines/payment/payment.machine.ts';
import type { Transfer } from '../machines/payment/transfer.ts';
import type { SliceStatus } from '../machines/payout/slice.machine.ts';
import { type PayoutView, sliceStatusOf } from '../machines/payout/view.ts';
import { figuresOf, type PayoutFigures, type SliceSum } from './payout-status.ts';

/** A slice as it is now. What does not apply is absent. */
export interface SliceView {
  /** It is a payment of its own: its timeline is that payment's. */
  readonly paymentId: string;
  readonly amount: string;
  readonly status: SliceStatus;
  /** How often a provider was told. */
  readonly attempts: number;
  /** The connector that was told last. */
  readonly connector?: string;
  /** What the provider calls it. */
  readonly providerRef?: string;
  readonly providerFee: string;
  /** Of what was settled: what the provider has sent back. */
  readonly returned: string;
  /** In doubt, and asking does not help: people must say what became of it. */
  readonly unresolved?: true;
  /** A provider carried it out after it had failed: its money waits in suspense. */
  readonly paidLate?: true;
  /** Why it failed before it was sent, or was refused. */
  readonly failure?: Refusal;
  /** Why its money came back: requested, expired, provider. */
  readonly reversed?: string;
}

/** A payout, and exactly which part of its money is where. */
export interface PayoutDetails extends Omit<PayoutView, 'slices'>, PayoutFigures {
  readonly slices: readonly SliceView[];
}

/** Where the money of a payout is, as it is durably now: every slice counts as it is when it is read. */
export async function payoutDetails(
  runtime: Pick<Runtime, 'payout' | 'paymentState'>,
  id: string,
): Promise<PayoutDetails | undefined> {
  const view = await runtime.payout(id);
  if (view === undefined) return undefined;
  const { state, amount } = view;
  const of = { state, amount: BigInt(amount) };
  // Of a refused payout no slice was made.
  if (state === 'FAILED') return { ...view, ...figuresOf(of, []), slices: [] };
  const states = await Promise.all(
    view.slices.map(async ({ paymentId }) => {
      const slice = await runtime.paymentState(paymentId);
      invariant(slice, `the slice ${paymentId} of payout ${id} is not there`);
      return slice;
    }),
  );
  return { ...view, ...figuresOf(of, states.map(sumOf)), slices: states.map(sliceView) };
}

function sumOf(slice: PaymentSnapshot): SliceSum {
  const { amount, refunded } = slice.context;
  return { status: sliceStatusOf(slice), amount, returned: refunded };
}

function sliceView(slice: PaymentSnapshot): SliceView {
  const { paymentId, amount, providerFee, refunded, transfer, reason } = slice.context;
  const newest = transfer?.instructions;
  const failure = refusalOfFailed(slice);
  return {
    paymentId,
    amount: formatMinor(amount),
    status: sliceStatusOf(slice),
    attempts: newest?.number ?? 0,
    providerFee: formatMinor(providerFee),
    returned: formatMinor(refunded),
    ...(newest !== undefined && { connector: newest.connector }),
    ...(newest?.providerRef !== undefined && { providerRef: newest.providerRef }),
    ...(sliceStatusOf(slice) === 'in_doubt' && transfer?.unresolved === true && { unresolved: true }),
    ...(isPaidLate(transfer) && { paidLate: true }),
    ...(failure !== undefined && { failure }),
    ...(slice.value === 'REVERSED' && reason !== undefined && { reversed: reason }),
  };
}

function isPaidLate(transfer: Transfer | undefined): boolean {
  for (let at = transfer?.instructions; at !== undefined; at = at.before) if (at.state === 'paid late') return true;
  return false;
}
