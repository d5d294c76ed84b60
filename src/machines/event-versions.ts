import type { RequestFact, SystemEntryPosted, WalletFact } from './account/account.facts.ts';
import type { ConnectorFact } from './connector/connector.facts.ts';
import type { PaymentFact } from './payment/payment.facts.ts';
import type { PayoutFact } from './payout/payout.facts.ts';

/** Every fact that the machines know, whatever stream it is on. */
export type KnownFact = PaymentFact | WalletFact | SystemEntryPosted | RequestFact | PayoutFact | ConnectorFact;
export type FactType = KnownFact['type'];

/** What an event says, in some version of its schema. */
export type FactData = Readonly<Record<string, unknown>>;

/**
 * Data of one version as data of the next. Pure and total: it takes whatever that version can have written, and what the
 * old form did not say follows from what it said. Never changed once a log may hold what it reads.
 */
export type Upcast = (data: FactData) => FactData;

/**
 * The schema version of every event: one more than there are steps. The first step makes version 2 of version 1, the
 * second version 3 of version 2. How an event is changed: docs/events.md.
 */
export const upcasts: Readonly<Record<FactType, readonly Upcast[]>> = {
  PaymentInitiated: [],
  PaymentAuthorized: [],
  PaymentCaptured: [],
  PaymentSettled: [],
  PaymentFailed: [failedSaysItsCause],
  PaymentReversed: [],
  RefundReserved: [],
  RefundReleased: [],
  RefundRefused: [],
  InstructionIssued: [],
  InstructionNotSent: [],
  InstructionAccepted: [],
  InstructionInDoubt: [],
  InstructionConfirmed: [],
  InstructionRefused: [],
  InstructionUnresolved: [],
  ProviderContradicted: [],
  LateSuccessPosted: [],
  ProviderFeeCorrected: [],
  SettlementOverdue: [],
  PayoutCreated: [],
  PayoutFailed: [],
  PayoutCancelled: [],
  PayoutHandled: [],
  BreakerOpened: [],
  BreakerHalfOpened: [],
  BreakerClosed: [],
  BreakerForced: [],
  ConnectorHandled: [],
  AccountOpened: [],
  AccountFrozen: [],
  AccountUnfrozen: [],
  AccountClosed: [],
  AccountLimitSet: [],
  HoldPlaced: [],
  HoldReleased: [],
  EntryPosted: [],
  PaymentRefused: [],
  RequestHandled: [],
  StepHandled: [],
};

/**
 * Version 1 had a reason and, where it was a refusal of ours, the figures that explain it. Whose word the reason is was to
 * be guessed from the figures being there: a person's "InsufficientFunds" looks like a refusal of ours.
 */
function failedSaysItsCause(data: FactData): FactData {
  return { ...data, cause: data['details'] === undefined ? 'requested' : 'refused' };
}

/** How an event is written while processes may run that cannot read its newest version. */
export interface StillWritten {
  readonly version: number;
  /** Data of the newest version as data of that one. */
  readonly downcast: (data: FactData) => FactData;
}

/**
 * Events that this release reads in a newer version than it writes: the first of the two releases of docs/events.md,
 * "While old processes run". Nothing today.
 */
export const stillWritten: Readonly<Partial<Record<FactType, StillWritten>>> = {};
