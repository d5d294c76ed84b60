import type { RecordedRow, RecordedUnit } from '../../../eventstore/index.ts';
import { fingerprintOf } from '../../kernel/ids.ts';
import { invariant } from '../../kernel/invariant.ts';
import type { BreakerState } from '../../machines/connector/connector.facts.ts';
import type { KnownFact } from '../../machines/event-versions.ts';
import { factsOf } from '../../machines/fact-codec.ts';
import { idOf } from '../../machines/streams.ts';
import { catalog, type Envelope, type PublicEvent, type Told } from './catalog.ts';

/** What a fact stands in: whose it is, and the currency that its unit moves for it. */
interface Setting {
  readonly id: string;
  readonly currency: () => string;
}

type Tellers = {
  readonly [Type in KnownFact['type']]?: (fact: Extract<KnownFact, { type: Type }>, setting: Setting) => Told;
};

/** From facts to events, by fact. A fact without a line is told to nobody. */
const tellers: Tellers = {
  PaymentInitiated: ({ kind, amount, currency, payer, payee, provider, original, payout }, { id: paymentId }) => ({
    type: 'payment.initiated',
    data: {
      paymentId,
      status: 'INITIATED',
      kind,
      amount,
      currency,
      ...(payer !== undefined && { payer }),
      ...(payee !== undefined && { payee }),
      ...(provider !== undefined && { provider }),
      ...(original !== undefined && { original }),
      ...(payout !== undefined && { payout }),
    },
  }),
  PaymentAuthorized: ({ held, expiresAt }, { id: paymentId, currency }) => ({
    type: 'payment.authorized',
    data: {
      paymentId,
      status: 'AUTHORIZED',
      // Of kinds that hold nothing, and when the hold is consumed in the same unit, there is nothing to tell.
      ...(held !== '0' && { held, currency: currency() }),
      ...(expiresAt !== undefined && { expiresAt }),
    },
  }),
  PaymentCaptured: ({ amount, settlesAt }, { id: paymentId, currency }) => ({
    type: 'payment.captured',
    data: {
      paymentId,
      status: 'CAPTURED',
      amount,
      currency: currency(),
      ...(settlesAt !== undefined && { settlesAt }),
    },
  }),
  PaymentSettled: ({ fee, providerFee }, { id: paymentId, currency }) => ({
    type: 'payment.settled',
    data: { paymentId, status: 'SETTLED', fee, providerFee, currency: currency() },
  }),
  // Where somebody asked for it, the reason is their own words: those stay here.
  PaymentFailed: ({ cause, reason }, { id: paymentId }) => ({
    type: 'payment.failed',
    data: { paymentId, status: 'FAILED', cause, ...(cause === 'refused' && { code: reason }) },
  }),
  PaymentReversed: ({ reason }, { id: paymentId }) => ({
    type: 'payment.reversed',
    data: { paymentId, status: 'REVERSED', reason },
  }),
  RefundReserved: ({ refund, amount }, { id: paymentId }) => ({
    type: 'payment.refund_reserved',
    data: { paymentId, refund, amount },
  }),
  RefundReleased: ({ refund, amount }, { id: paymentId }) => ({
    type: 'payment.refund_released',
    data: { paymentId, refund, amount },
  }),
  // What a provider or a person gave as reason stays here.
  InstructionIssued: ({ instruction, connector: connectorId, provider }, { id: paymentId }) => ({
    type: 'payment.instructed',
    data: { paymentId, instruction, connectorId, provider },
  }),
  InstructionNotSent: ({ instruction }, { id: paymentId }) => ({
    type: 'payment.not_sent',
    data: { paymentId, instruction },
  }),
  InstructionAccepted: ({ instruction, providerRef }, { id: paymentId }) => ({
    type: 'payment.accepted',
    data: { paymentId, instruction, providerRef },
  }),
  InstructionInDoubt: ({ instruction }, { id: paymentId }) => ({
    type: 'payment.in_doubt',
    data: { paymentId, instruction },
  }),
  InstructionConfirmed: ({ instruction, providerRef }, { id: paymentId }) => ({
    type: 'payment.confirmed',
    data: { paymentId, instruction, providerRef },
  }),
  InstructionRefused: ({ instruction }, { id: paymentId }) => ({
    type: 'payment.refused_by_provider',
    data: { paymentId, instruction },
  }),
  InstructionUnresolved: ({ instruction }, { id: paymentId }) => ({
    type: 'payment.unresolved',
    data: { paymentId, instruction },
  }),
  LateSuccessPosted: ({ instruction, provider, providerRef, providerFee }, { id: paymentId }) => ({
    type: 'payment.paid_late',
    data: { paymentId, instruction, provider, providerRef, providerFee },
  }),
  ProviderFeeCorrected: ({ providerFee }, { id: paymentId }) => ({
    type: 'payment.fee_corrected',
    data: { paymentId, providerFee },
  }),
  SettlementOverdue: ({ settlesAt }, { id: paymentId }) => ({
    type: 'payment.settlement_overdue',
    data: { paymentId, settlesAt },
  }),
  PayoutCreated: ({ amount, currency, payer, provider, slices }, { id: payoutId }) => ({
    type: 'payout.created',
    data: { payoutId, status: 'OPEN', amount, currency, payer, provider, slices: [...slices] },
  }),
  PayoutFailed: ({ reason }, { id: payoutId }) => ({
    type: 'payout.failed',
    data: { payoutId, status: 'FAILED', code: reason },
  }),
  PayoutCancelled: ({ slices }, { id: payoutId }) => ({
    type: 'payout.cancelled',
    data: { payoutId, status: 'CANCELLED', slices: [...slices] },
  }),
  BreakerOpened: (_, { id }) => breakerTold(id, 'OPEN', false),
  BreakerHalfOpened: (_, { id }) => breakerTold(id, 'HALF_OPEN', false),
  BreakerClosed: (_, { id }) => breakerTold(id, 'CLOSED', false),
  BreakerForced: ({ after: { state } }, { id }) => breakerTold(id, state, true),
  AccountOpened: ({ after: { type: walletType, currency } }, { id: accountId }) => ({
    type: 'account.opened',
    data: { accountId, status: 'OPEN', walletType, currency },
  }),
  AccountFrozen: (_, { id: accountId }) => ({ type: 'account.frozen', data: { accountId, status: 'FROZEN' } }),
  AccountUnfrozen: (_, { id: accountId }) => ({ type: 'account.unfrozen', data: { accountId, status: 'OPEN' } }),
  AccountClosed: (_, { id: accountId }) => ({ type: 'account.closed', data: { accountId, status: 'CLOSED' } }),
};

function breakerTold(connectorId: string, state: BreakerState, forced: boolean): Told {
  switch (state) {
    case 'OPEN':
      return { type: 'connector.opened', data: { connectorId, state, forced } };
    case 'HALF_OPEN':
      return { type: 'connector.half_opened', data: { connectorId, state, forced } };
    case 'CLOSED':
      return { type: 'connector.closed', data: { connectorId, state, forced } };
  }
}

/**
 * What others are told of a unit, in the order of the log. Pure: a unit that is read again comes to the same events, with
 * the same ids.
 *
 * @throws UnknownEventVersionError where the unit holds an event that this process is too old for: nothing is told of it
 */
export function publicEvents(unit: RecordedUnit): PublicEvent[] {
  const events: PublicEvent[] = [];
  for (const row of unit.rows) {
    for (const [index, fact] of factsOf(row).entries()) {
      const told = toldOf(fact, { id: idOf(row.stream), currency: () => currencyIn(unit, idOf(row.stream)) });
      if (told !== undefined) events.push(eventOf(unit, row, index, told));
    }
  }
  return events;
}

function toldOf(fact: KnownFact, setting: Setting): Told | undefined {
  const teller = tellers[fact.type] as ((fact: KnownFact, setting: Setting) => Told) | undefined;
  return teller?.(fact, setting);
}

function eventOf(unit: RecordedUnit, row: RecordedRow, index: number, { type, data }: Told): PublicEvent {
  const position = row.position + index;
  const envelope: Envelope = {
    // The position alone would do, until a log is restored from a backup and grows another way from there: consumers
    // remember ids for ever.
    id: `evt_${fingerprintOf(['kora/event/1', position, unit.id, row.stream])}`,
    type,
    version: catalog[type].version,
    createdAt: unit.recordedAt.toISOString(),
    subject: row.stream,
    sequence: row.version + index,
    data,
  };
  return { position, envelope, body: JSON.stringify(envelope) };
}

/** The facts that follow the first one of a payment do not say its currency again; the entries and holds beside them do. */
function currencyIn(unit: RecordedUnit, paymentId: string): string {
  for (const fact of unit.rows.flatMap(factsOf)) {
    if (fact.type === 'EntryPosted' && fact.paymentId === paymentId) return fact.currency;
    if (fact.type === 'HoldPlaced' && fact.paymentId === paymentId) return fact.after.currency;
  }
  invariant(false, 'a unit that holds or moves money for a payment has an entry or a hold of it');
}
