import type { Meta, Position, RecordedRow, RecordedUnit } from '../../../eventstore/index.ts';
import type { WalletFigures } from '../../machines/account/account.facts.ts';
import { currentEvents, type StoredEvent } from '../../machines/fact-codec.ts';
import type { PaymentFact, PaymentStatus } from '../../machines/payment/payment.facts.ts';
import type { ConnectorFigures } from '../../machines/connector/connector.facts.ts';
import type { PayoutFact, PayoutStatus } from '../../machines/payout/payout.facts.ts';
import { categoryOf, idOf } from '../../machines/streams.ts';
import type { StreamTopic } from './topics.ts';

/** What a unit is on one topic, encoded once for all who watch it. */
export interface Frame {
  /** Resume position: with it and everything before it the client has all of the topic up to here. */
  readonly position: Position;
  readonly bytes: Buffer;
}

/** What of a unit every frame of it says. */
export interface Said {
  readonly recordedAt: Date;
  readonly meta: Meta;
}

/**
 * In which state a fact leaves its payment. No fact leads to two states, so nothing needs to be folded to know it; those
 * that leave it where it is, wherever that is, say none.
 */
export const statusAfter: Readonly<Record<PaymentFact['type'], PaymentStatus | undefined>> = {
  InstructionIssued: 'AUTHORIZED',
  InstructionNotSent: 'AUTHORIZED',
  InstructionAccepted: undefined,
  InstructionInDoubt: undefined,
  InstructionConfirmed: undefined,
  InstructionRefused: undefined,
  InstructionUnresolved: undefined,
  ProviderContradicted: undefined,
  LateSuccessPosted: undefined,
  ProviderFeeCorrected: 'SETTLED',
  SettlementOverdue: 'CAPTURED',
  PaymentInitiated: 'INITIATED',
  PaymentAuthorized: 'AUTHORIZED',
  PaymentCaptured: 'CAPTURED',
  PaymentSettled: 'SETTLED',
  PaymentFailed: 'FAILED',
  PaymentReversed: 'REVERSED',
  RefundReserved: 'SETTLED',
  RefundReleased: 'SETTLED',
  RefundRefused: 'SETTLED',
};

export function isPaymentRow(row: RecordedRow): boolean {
  return row.stream.startsWith('payment/');
}

/** Position of the row's last event. */
export function lastPositionOf(row: RecordedRow): Position {
  return row.position + row.events.length - 1;
}

/** Puts encoded events into a frame. `position` is that of the last event, or the end of its unit. */
export function frameOf(topic: string, position: Position, { recordedAt, meta }: Said, events: string): Frame {
  const effectiveAt = meta.effectiveAt === undefined ? '' : `,"effectiveAt":${JSON.stringify(meta.effectiveAt)}`;
  const text =
    `{"unit":{"topic":${JSON.stringify(topic)},"position":${position},"at":"${recordedAt.toISOString()}"${effectiveAt}` +
    `,"correlationId":${JSON.stringify(meta.correlationId)},"events":[${events}]}}`;
  return { position, bytes: Buffer.from(text) };
}

/** The frame of a row for its own topic, or undefined when nothing of it comes after a position. */
export function rowFrame(topic: StreamTopic, row: RecordedRow, said: Said, after: Position): Frame | undefined {
  const last = lastPositionOf(row);
  return last <= after ? undefined : frameOf(topic.name, last, said, eventsJson(row, after, topic.discreet));
}

/** The frame of a unit for the topic `payments`, or undefined when no event of a payment in it comes after a position. */
export function paymentsFrame(unit: RecordedUnit, after: Position): Frame | undefined {
  const events = unit.rows.filter((row) => isPaymentRow(row) && lastPositionOf(row) > after);
  if (events.length === 0) return undefined;
  return frameOf('payments', unit.lastPosition, unit, events.map((row) => eventsJson(row, after)).join(','));
}

/**
 * The events of a row that come after a position, as JSON separated by commas.
 *
 * @param discreet without what parties are not told: `StreamTopic.discreet`
 */
export function eventsJson(row: RecordedRow, after: Position, discreet = false): string {
  const isPayment = isPaymentRow(row);
  const category = categoryOf(row.stream);
  const whose = `"${idFieldOf(category)}":${JSON.stringify(idOf(row.stream))}`;
  const events = currentEvents(row);
  let json = '';
  for (let index = Math.max(0, after + 1 - row.position); index < events.length; index++) {
    const event = events[index] as StoredEvent;
    const status = isPayment ? statusAfter[event.type as PaymentFact['type']] : otherStatus(category, event);
    json +=
      `${json === '' ? '' : ','}{"position":${row.position + index},"version":${row.version + index},${whose}` +
      `,"type":"${event.type}"${status === undefined ? '' : `,"status":"${status}"`},"data":${dataJson(event, discreet)}}`;
  }
  return json;
}

function idFieldOf(category: string): string {
  return category === 'payment' || category === 'payout' || category === 'connector' ? `${category}Id` : 'accountId';
}

const payoutStatusAfter: Readonly<Record<PayoutFact['type'], PayoutStatus>> = {
  PayoutCreated: 'OPEN',
  PayoutFailed: 'FAILED',
  PayoutCancelled: 'CANCELLED',
};

/** The state after a fact of what is no payment. */
function otherStatus(category: string, { type, data }: StoredEvent): string | undefined {
  switch (category) {
    case 'account':
      return (data as { readonly after?: WalletFigures }).after?.status;
    case 'connector':
      return (data as { readonly after?: ConnectorFigures }).after?.state;
    case 'payout':
      return payoutStatusAfter[type as PayoutFact['type']];
    default:
      return undefined;
  }
}

/** What a party to a payment is not told of a fact. */
const undiscreet = [
  'details',
  'fee',
  'feeBps',
  'providerFee',
  'connector',
  'sendBefore',
  'resendAt',
  'providerRef',
  'code',
] as const;
const untold = Object.fromEntries(undiscreet.map((field) => [field, undefined]));

/** What a fact says, without what only the decision about duplicates needs. */
function dataJson({ type, data }: StoredEvent, discreet: boolean): string {
  const indiscreet = discreet && undiscreet.some((field) => field in data);
  // Why an instruction went as it did is between us and the provider; why the payment failed is told.
  const reason = discreet && type.startsWith('Instruction') && 'reason' in data ? { reason: undefined } : undefined;
  if (!('fingerprint' in data) && !indiscreet && reason === undefined) return JSON.stringify(data);
  return JSON.stringify({ ...data, fingerprint: undefined, facts: undefined, ...(indiscreet && untold), ...reason });
}
