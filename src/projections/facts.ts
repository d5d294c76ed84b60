import type { RecordedRow, RecordedUnit } from '../../eventstore/index.ts';
import type { SystemEntryPosted, WalletFact } from '../machines/account/account.facts.ts';
import { currentEvents } from '../machines/fact-codec.ts';
import type { ConnectorFact } from '../machines/connector/connector.facts.ts';
import type { PaymentFact } from '../machines/payment/payment.facts.ts';
import type { PayoutFact } from '../machines/payout/payout.facts.ts';

/** A fact as the log holds it, in its newest version: its type beside its data. */
export type EventOf<Fact extends { readonly type: string }> = Fact extends unknown
  ? { readonly type: Fact['type']; readonly schema: number; readonly data: Omit<Fact, 'type'> }
  : never;

export type PaymentEvent = EventOf<PaymentFact>;
export type WalletEvent = EventOf<WalletFact>;
export type SystemEvent = EventOf<SystemEntryPosted>;
export type PayoutEvent = EventOf<PayoutFact>;
export type ConnectorEvent = EventOf<ConnectorFact>;

// The types of what is in the log are the machines' word; `verify` holds the log to it.
export const paymentEvents = (row: RecordedRow): readonly PaymentEvent[] =>
  currentEvents(row) as readonly PaymentEvent[];
export const walletEvents = (row: RecordedRow): readonly WalletEvent[] => currentEvents(row) as readonly WalletEvent[];
export const systemEvents = (row: RecordedRow): readonly SystemEvent[] => currentEvents(row) as readonly SystemEvent[];
export const payoutEvents = (row: RecordedRow): readonly PayoutEvent[] => currentEvents(row) as readonly PayoutEvent[];
export const connectorEvents = (row: RecordedRow): readonly ConnectorEvent[] =>
  currentEvents(row) as readonly ConnectorEvent[];

/** Business time: when the unit holds in the world. */
export function effectiveAtOf({ meta }: RecordedUnit): string {
  return meta.effectiveAt ?? meta.at;
}

let lastMs = NaN;
let lastIso = '';

/** When the log recorded the unit, ISO 8601. The units of a commit share it, so the last text is kept. */
export function recordedAtOf({ recordedAt }: RecordedUnit): string {
  const ms = recordedAt.getTime();
  if (ms !== lastMs) [lastMs, lastIso] = [ms, recordedAt.toISOString()];
  return lastIso;
}

/** Position of the row's last event. */
export function lastPositionOf(row: RecordedRow): number {
  return row.position + row.events.length - 1;
}

/** Version of the stream after the row. */
export function lastVersionOf(row: RecordedRow): number {
  return row.version + row.events.length - 1;
}

/** `float:cash:XOF` → `float`. */
export function classOfSystemAccount(id: string): string {
  const end = id.indexOf(':');
  return end < 0 ? id : id.slice(0, end);
}
