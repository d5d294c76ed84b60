import { setup } from 'xstate';
import { assignmentsOf, type AtRest, type On } from '../flat-machine.ts';
import type {
  AppliedCommand,
  FailureCause,
  InstructionFact,
  LateSuccessPosted,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentFact,
  PaymentFailed,
  PaymentInitiated,
  PaymentKind,
  PaymentReversed,
  PaymentSettled,
  PaymentStatus,
  ProviderContradicted,
  ProviderFeeCorrected,
  RefundRefused,
  RefundReleased,
  RefundReserved,
  SettlementOverdue,
} from './payment.facts.ts';
import { POSTINGS, REFUNDED_KINDS } from './postings.ts';
import {
  contradicted,
  ended,
  endedOrGivenBack,
  endedTransfer,
  instructionOf,
  isLive,
  paidLate,
  transferAfter,
  type InstructionState,
  type Transfer,
} from './transfer.ts';

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

/** Which way a payment goes, where its kind goes through a provider. */
export interface Route {
  readonly payout: string | undefined;
  readonly beneficiary: string | undefined;
  readonly rail: string | undefined;
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
  /** Of what goes through connectors: that of the newest instruction. */
  readonly provider: string | undefined;
  readonly route: Route | undefined;
  /** What a provider was told and has said. Undefined: it was told nothing. */
  readonly transfer: Transfer | undefined;
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
  route: undefined,
  transfer: undefined,
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
  return amount > 0n && amount <= context.authorized && takesMoney(context);
};
/** While a provider is at it, its word moves the money, and nobody else's. */
const takesMoney = ({ kind, transfer }: PaymentContext): boolean =>
  !isLive(transfer) || (transfer?.status === 'sent' && POSTINGS[kind].capturedWhen === 'sent');
const nothingIsLive = ({ context }: Given<unknown>): boolean => !isLive(context.transfer);
const kindGivesBack = ({ context }: Given<unknown>): boolean =>
  POSTINGS[context.kind].reversed !== undefined && !isLive(context.transfer);
const follows = ({ context, event }: Given<InstructionFact>): boolean =>
  POSTINGS[context.kind].capturedWhen !== undefined && transferAfter(context.transfer, event) !== undefined;
const wasTold = ({ context, event }: Given<ProviderContradicted>): boolean =>
  instructionOf(context.transfer, event.instruction) !== undefined;
const wasIn =
  (from: readonly InstructionState[]) =>
  ({ context, event }: Given<LateSuccessPosted>): boolean =>
    BigInt(event.providerFee) >= 0n &&
    paidLate(context.transfer, event.instruction, event.providerRef, from) !== undefined;
const isAnotherFee = ({ context, event }: Given<ProviderFeeCorrected>): boolean =>
  POSTINGS[context.kind].providerFee !== undefined &&
  BigInt(event.providerFee) >= 0n &&
  BigInt(event.providerFee) !== context.providerFee;
const wasDue = ({ context, event }: Given<SettlementOverdue>): boolean =>
  POSTINGS[context.kind].provider && context.settlesAt === event.settlesAt;
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
    route: routeOf(event),
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
  after(context, event, {
    held: 0n,
    cause: event.cause,
    reason: event.reason,
    details: event.details,
    transfer: context.transfer && endedTransfer(context.transfer),
  }),
);
const reversed = assigning(({ context, event }: Given<PaymentReversed>) =>
  after(context, event, {
    held: 0n,
    reason: event.reason,
    transfer: context.transfer && endedTransfer(context.transfer),
  }),
);
const told = assigning(({ context, event }: Given<InstructionFact>) =>
  after(context, event, {
    transfer: transferAfter(context.transfer, event),
    ...(event.type === 'InstructionIssued' && { provider: event.provider }),
  }),
);
const late = assigning(({ context, event }: Given<LateSuccessPosted>) =>
  after(context, event, {
    transfer: paidLate(context.transfer, event.instruction, event.providerRef, endedOrGivenBack),
  }),
);
const feeCorrected = assigning(({ context, event }: Given<ProviderFeeCorrected>) =>
  after(context, event, { providerFee: BigInt(event.providerFee) }),
);
const noted = assigning(({ context, event }: Given<SettlementOverdue>) => after(context, event, {}));
const contradicts = assigning(({ context, event }: Given<ProviderContradicted>) =>
  after(context, event, { transfer: contradicted(context.transfer, event.instruction, event.said) }),
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

function routeOf({ payout, beneficiary, rail }: PaymentInitiated): Route | undefined {
  if (payout === undefined && beneficiary === undefined && rail === undefined) return undefined;
  return { payout, beneficiary, rail };
}

const FOLLOWS = 'it follows from what the provider was told and has said (the slice, below)';
const NOT_LIVE = 'no instruction is live';
const toProvider = { description: FOLLOWS, guard: follows, actions: told };
/** Facts that a provider may cause whatever has become of the payment. */
const whatever = {
  ProviderContradicted: { description: 'it was told so', guard: wasTold, actions: contradicts },
  LateSuccessPosted: { description: 'that instruction had ended', guard: wasIn(ended), actions: late },
};

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
        InstructionIssued: toProvider,
        InstructionNotSent: toProvider,
        InstructionAccepted: toProvider,
        InstructionInDoubt: toProvider,
        InstructionConfirmed: toProvider,
        InstructionRefused: toProvider,
        InstructionUnresolved: toProvider,
        ...whatever,
        PaymentCaptured: {
          description: 'above 0, at most what was authorized; with a provider at it, when the kind is captured so far',
          target: 'CAPTURED',
          guard: withinAuthorized,
          actions: captured,
        },
        PaymentFailed: { description: NOT_LIVE, target: 'FAILED', guard: nothingIsLive, actions: failed },
        PaymentReversed: { description: NOT_LIVE, target: 'REVERSED', guard: nothingIsLive, actions: reversed },
      },
    },
    CAPTURED: {
      on: {
        InstructionAccepted: toProvider,
        InstructionInDoubt: toProvider,
        InstructionConfirmed: toProvider,
        InstructionRefused: toProvider,
        InstructionUnresolved: toProvider,
        ...whatever,
        SettlementOverdue: { description: 'a provider has not settled by `settlesAt`', guard: wasDue, actions: noted },
        PaymentSettled: { description: NOT_LIVE, target: 'SETTLED', guard: nothingIsLive, actions: settled },
        PaymentReversed: {
          description: 'the kind has a way back (docs/postings.md), and no instruction is live',
          target: 'REVERSED',
          guard: kindGivesBack,
          actions: reversed,
        },
      },
    },
    // Not an XState final state: what is refunded (later: disputed) is still recorded on a settled payment.
    SETTLED: {
      on: {
        ...whatever,
        ProviderFeeCorrected: { description: 'it is another fee', guard: isAnotherFee, actions: feeCorrected },
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
    FAILED: { on: whatever },
    REVERSED: {
      on: {
        ...whatever,
        LateSuccessPosted: {
          description: 'that instruction had ended, or was done and given back',
          guard: wasIn(endedOrGivenBack),
          actions: late,
        },
      },
    },
  },
});

/** Whether refunds of the payment exist at all: it is of a kind that some other kind gives back. */
export function refundable(context: PaymentContext): boolean {
  return REFUNDED_KINDS.has(context.kind);
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
