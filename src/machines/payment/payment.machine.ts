import { setup } from 'xstate';
import { assignmentsOf, type AtRest, type On } from '../flat-machine.ts';
import type {
  AppliedCommand,
  FailureCause,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentFact,
  PaymentFailed,
  PaymentInitiated,
  PaymentKind,
  PaymentReversed,
  PaymentSettled,
  PaymentStatus,
  RefundRefused,
  RefundReleased,
  RefundReserved,
} from './payment.facts.ts';
import { POSTINGS } from './postings.ts';

/** A command that this payment applied, remembered for ever; the newest first. A list, because most payments have one. */
export interface Applied {
  readonly commandId: string;
  readonly fingerprint: string;
  /** Version of the payment after the command's unit: a duplicate is answered from the payment as it was then. */
  readonly version: number;
  readonly before: Applied | undefined;
}

/** A refund's share of this payment; the newest first. */
export interface Reservation {
  readonly refund: string;
  readonly amount: bigint;
  readonly before: Reservation | undefined;
}

/** Everything that the facts said. Minor units; every field is always there, so that all payments have one shape. */
export interface PaymentContext {
  readonly paymentId: string;
  /** How many facts the payment has. */
  readonly version: number;
  readonly kind: PaymentKind;
  readonly amount: bigint;
  readonly currency: string;
  readonly payer: string | undefined;
  readonly payee: string | undefined;
  readonly provider: string | undefined;
  readonly original: string | undefined;
  readonly feeBps: number;
  /** What the payer's wallet holds for this payment now. */
  readonly held: bigint;
  readonly authorized: bigint;
  readonly captured: bigint;
  readonly fee: bigint;
  readonly providerFee: bigint;
  /** Sum of the refunds' reservations: never more than `captured`. */
  readonly refunded: bigint;
  readonly refunds: Reservation | undefined;
  readonly expiresAt: string | undefined;
  readonly settlesAt: string | undefined;
  /** Of a FAILED payment: whose word the reason is. */
  readonly cause: FailureCause | undefined;
  /** Why it FAILED or was REVERSED. */
  readonly reason: string | undefined;
  readonly details: Readonly<Record<string, string>> | undefined;
  readonly applied: Applied | undefined;
}

/** A payment at rest: plain data, no live actor (docs/architecture.md, "Actors"). */
export interface PaymentSnapshot {
  readonly value: PaymentStatus;
  readonly context: PaymentContext;
}

/** The state before the first fact. It is never seen outside: `evolvePayment` starts from it. */
export function unmadePayment(paymentId: string): AtRest<PaymentContext> {
  return { value: 'NEW', context: { ...unmade, paymentId } };
}
const unmade: PaymentContext = {
  paymentId: '',
  version: 0,
  kind: 'P2P',
  amount: 0n,
  currency: '',
  payer: undefined,
  payee: undefined,
  provider: undefined,
  original: undefined,
  feeBps: 0,
  held: 0n,
  authorized: 0n,
  captured: 0n,
  fee: 0n,
  providerFee: 0n,
  refunded: 0n,
  refunds: undefined,
  expiresAt: undefined,
  settlesAt: undefined,
  cause: undefined,
  reason: undefined,
  details: undefined,
  applied: undefined,
};

type Given<Fact> = On<PaymentContext, Fact>;

// Guards: which figures a fact may carry. They are the last word; `decide` refuses in kinder words before them.
const positiveAmount = ({ event }: Given<PaymentInitiated>): boolean => BigInt(event.amount) > 0n;
const holdsAllOrNothing = ({ context, event }: Given<PaymentAuthorized>): boolean =>
  event.held === '0' || (POSTINGS[context.kind].holds && BigInt(event.held) === context.amount);
const withinAuthorized = ({ context, event }: Given<PaymentCaptured>): boolean => {
  const amount = BigInt(event.amount);
  return amount > 0n && amount <= context.authorized;
};
const kindGivesBack = ({ context }: Given<unknown>): boolean => POSTINGS[context.kind].reversed !== undefined;
const withinRefundable = ({ context, event }: Given<RefundReserved>): boolean => {
  const amount = BigInt(event.amount);
  return refundable(context) && amount > 0n && context.refunded + amount <= context.captured;
};
const isReserved = ({ context, event }: Given<RefundReleased>): boolean => {
  const amount = BigInt(event.amount);
  return amount > 0n && amount <= (reservationOf(context, event.refund)?.amount ?? 0n);
};
const canBeRefunded = ({ context }: Given<unknown>): boolean => refundable(context);

// Assignments: what a fact changes.
const assigning = assignmentsOf<PaymentContext, PaymentFact>();
const initiated = assigning(({ context, event }: Given<PaymentInitiated>) =>
  after(context, event, {
    kind: event.kind,
    amount: BigInt(event.amount),
    currency: event.currency,
    payer: event.payer,
    payee: event.payee,
    provider: event.provider,
    original: event.original,
    feeBps: event.feeBps ?? 0,
  }),
);
const authorized = assigning(({ context, event }: Given<PaymentAuthorized>) =>
  after(context, event, { authorized: context.amount, held: BigInt(event.held), expiresAt: event.expiresAt }),
);
const captured = assigning(({ context, event }: Given<PaymentCaptured>) =>
  after(context, event, { captured: BigInt(event.amount), held: 0n, settlesAt: event.settlesAt }),
);
const settled = assigning(({ context, event }: Given<PaymentSettled>) =>
  after(context, event, { fee: BigInt(event.fee), providerFee: BigInt(event.providerFee) }),
);
const failed = assigning(({ context, event }: Given<PaymentFailed>) =>
  after(context, event, { held: 0n, cause: event.cause, reason: event.reason, details: event.details }),
);
const reversed = assigning(({ context, event }: Given<PaymentReversed>) =>
  after(context, event, { held: 0n, reason: event.reason }),
);
const refundReserved = assigning(({ context, event }: Given<RefundReserved>) => {
  const amount = BigInt(event.amount);
  const refunds = { refund: event.refund, amount, before: context.refunds };
  return after(context, event, { refunded: context.refunded + amount, refunds });
});
const refundReleased = assigning(({ context, event }: Given<RefundReleased>) => {
  const amount = BigInt(event.amount);
  const refunds = lessOf(context.refunds, event.refund, amount);
  return after(context, event, { refunded: context.refunded - amount, refunds });
});
const refundRefused = assigning(({ context, event }: Given<RefundRefused>) => after(context, event, {}));

/** What every fact brings, the version and the memory of its command, and what this fact changes. */
function after(context: PaymentContext, fact: AppliedCommand, changed: Partial<PaymentContext>): PaymentContext {
  const version = context.version + 1;
  if (fact.commandId === undefined) return { ...context, ...changed, version };
  const applied = {
    commandId: fact.commandId,
    fingerprint: fact.fingerprint ?? '',
    version: context.version + (fact.facts ?? 1),
    before: context.applied,
  };
  return { ...context, ...changed, version, applied };
}

export const paymentMachine = setup({
  types: { context: {} as PaymentContext, events: {} as PaymentFact },
}).createMachine({
  id: 'payment',
  context: unmade,
  initial: 'NEW',
  states: {
    NEW: {
      on: {
        PaymentInitiated: {
          description: 'the amount is above 0',
          target: 'INITIATED',
          guard: positiveAmount,
          actions: initiated,
        },
      },
    },
    INITIATED: {
      on: {
        PaymentAuthorized: {
          description:
            'all of the amount is held, or nothing: kinds without a payer hold nothing, nor does a hold that ends in its own unit',
          target: 'AUTHORIZED',
          guard: holdsAllOrNothing,
          actions: authorized,
        },
        PaymentFailed: { target: 'FAILED', actions: failed },
      },
    },
    AUTHORIZED: {
      on: {
        PaymentCaptured: {
          description: 'above 0, at most what was authorized',
          target: 'CAPTURED',
          guard: withinAuthorized,
          actions: captured,
        },
        PaymentFailed: { target: 'FAILED', actions: failed },
        PaymentReversed: { target: 'REVERSED', actions: reversed },
      },
    },
    CAPTURED: {
      on: {
        PaymentSettled: { target: 'SETTLED', actions: settled },
        PaymentReversed: {
          description: 'the kind has a way back (docs/postings.md)',
          target: 'REVERSED',
          guard: kindGivesBack,
          actions: reversed,
        },
      },
    },
    // Not an XState final state: what is refunded (later: disputed) is still recorded on a settled payment.
    SETTLED: {
      on: {
        RefundReserved: {
          description: 'the kind can be refunded, and with this refund no more is refunded than was captured',
          guard: withinRefundable,
          actions: refundReserved,
        },
        RefundReleased: {
          description: 'that refund has at least that much reserved',
          guard: isReserved,
          actions: refundReleased,
        },
        RefundRefused: { description: 'the kind can be refunded', guard: canBeRefunded, actions: refundRefused },
      },
    },
    FAILED: {},
    REVERSED: {},
  },
});

/** Whether refunds of the payment exist at all: it is of the kind that some other kind gives back. */
export function refundable(context: PaymentContext): boolean {
  return context.kind === POSTINGS.REFUND.refundOf;
}

/** The share that a refund has reserved of this payment, or undefined. */
export function reservationOf(context: PaymentContext, refund: string): Reservation | undefined {
  let reservation = context.refunds;
  while (reservation !== undefined && reservation.refund !== refund) reservation = reservation.before;
  return reservation;
}

/** What the payment remembers of a command, or undefined when it never applied it. */
export function appliedCommand(context: PaymentContext, commandId: string): Applied | undefined {
  let applied = context.applied;
  while (applied !== undefined && applied.commandId !== commandId) applied = applied.before;
  return applied;
}

function lessOf(list: Reservation | undefined, refund: string, amount: bigint): Reservation | undefined {
  if (list === undefined) return undefined;
  if (list.refund !== refund) return { ...list, before: lessOf(list.before, refund, amount) };
  return list.amount === amount ? list.before : { ...list, amount: list.amount - amount };
}
