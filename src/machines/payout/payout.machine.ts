import { setup } from 'xstate';
import { assignmentsOf, type AtRest, type On, stepperOf } from '../flat-machine.ts';
import type { PayoutCancelled, PayoutCreated, PayoutFact, PayoutFailed, PayoutStatus } from './payout.facts.ts';

export interface PayoutContext {
  readonly payoutId: string;
  /** How many facts it has. */
  readonly version: number;
  readonly amount: bigint;
  readonly currency: string;
  readonly payer: string;
  readonly provider: string;
  readonly beneficiary: string;
  readonly rail: string | undefined;
  readonly slices: readonly { readonly paymentId: string; readonly amount: bigint }[];
  /** Why it FAILED or was CANCELLED. */
  readonly reason: string | undefined;
  readonly details: Readonly<Record<string, string>> | undefined;
}

export interface PayoutSnapshot {
  readonly value: PayoutStatus;
  readonly context: PayoutContext;
}

const unmade: PayoutContext = {
  payoutId: '',
  version: 0,
  amount: 0n,
  currency: '',
  payer: '',
  provider: '',
  beneficiary: '',
  rail: undefined,
  slices: [],
  reason: undefined,
  details: undefined,
};

type Given<Fact> = On<PayoutContext, Fact>;

const addsUp = ({ event }: Given<PayoutCreated>): boolean => {
  const amounts = event.slices.map(({ amount }) => BigInt(amount));
  return amounts.length > 0 && amounts.every((one) => one > 0n) && sum(amounts) === BigInt(event.amount);
};
const hasThem = ({ context, event }: Given<PayoutCancelled>): boolean =>
  event.slices.every((id) => context.slices.some(({ paymentId }) => paymentId === id));

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, one) => total + one, 0n);

const assigning = assignmentsOf<PayoutContext, PayoutFact>();
const created = assigning(({ context, event }: Given<PayoutCreated>) => ({
  ...context,
  version: context.version + 1,
  amount: BigInt(event.amount),
  currency: event.currency,
  payer: event.payer,
  provider: event.provider,
  beneficiary: event.beneficiary,
  rail: event.rail,
  slices: event.slices.map(({ paymentId, amount }) => ({ paymentId, amount: BigInt(amount) })),
}));
const failed = assigning(({ context, event }: Given<PayoutFailed>) => ({
  ...context,
  version: context.version + 1,
  reason: event.reason,
  details: event.details,
}));
const cancelled = assigning(({ context, event }: Given<PayoutCancelled>) => ({
  ...context,
  version: context.version + 1,
  reason: event.reason,
}));

const cancels = {
  description: 'the slices are its own',
  target: 'CANCELLED',
  guard: hasThem,
  actions: cancelled,
} as const;

export const payoutMachine = setup({
  types: { context: {} as PayoutContext, events: {} as PayoutFact },
}).createMachine({
  id: 'payout',
  context: unmade,
  initial: 'NEW',
  states: {
    NEW: {
      on: {
        PayoutCreated: {
          description: 'its slices add up to its amount',
          target: 'OPEN',
          guard: addsUp,
          actions: created,
        },
      },
    },
    OPEN: {
      on: {
        PayoutFailed: { target: 'FAILED', actions: failed },
        PayoutCancelled: cancels,
      },
    },
    // Slices that a provider gave back meanwhile can be cancelled too.
    CANCELLED: { on: { PayoutCancelled: cancels } },
    FAILED: {},
  },
});

const step = stepperOf<PayoutContext, PayoutFact>(payoutMachine, unmade);

/** The one path by which a fact changes a payout. Undefined stands for what does not exist yet. */
export function evolvePayout(
  snapshot: PayoutSnapshot | undefined,
  fact: PayoutFact,
  payoutId: string,
): PayoutSnapshot | 'illegal' {
  const before: AtRest<PayoutContext> = snapshot ?? { value: 'NEW', context: { ...unmade, payoutId } };
  return step(before, fact) as PayoutSnapshot | 'illegal';
}
