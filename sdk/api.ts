import type { BodyOf, QueryOf, ValueOf } from './calls/operations.ts';

/** The shapes of the http door, by names for people. All of them are made from its OpenAPI document. */
export type SignedIn = ValueOf<'signUp'>;
export type Me = ValueOf<'me'>;
export type SessionView = ValueOf<'listSessions'>['items'][number];
export type UserRole = SignedIn['roles'][number];

export type Account = ValueOf<'getAccount'>;
export type NewAccount = BodyOf<'openAccount'>;
export type Balance = ValueOf<'getBalance'>;
export type Entry = ValueOf<'listEntries'>['items'][number];
export type AccountFilter = Omit<QueryOf<'listAccounts'>, 'cursor'>;
export type EntryFilter = Omit<QueryOf<'listEntries'>, 'cursor'>;

export type Payment = ValueOf<'getPayment'>;
export type PaymentStatus = Payment['status'];
export type NewPayment = BodyOf<'pay'>;
export type PaymentFilter = Omit<QueryOf<'listPayments'>, 'cursor'>;
export type Timeline = ValueOf<'getTimeline'>;

export type NewWebhook = BodyOf<'addWebhook'>;
export type AddedWebhook = ValueOf<'addWebhook'>;
export type Webhook = ValueOf<'listWebhooks'>['items'][number];
export type RotatedSecret = ValueOf<'rotateWebhookSecret'>;
export type Delivery = ValueOf<'listWebhookDeliveries'>['items'][number];
export type DeliveryFilter = Omit<QueryOf<'listWebhookDeliveries'>, 'cursor'>;
export type Payout = ValueOf<'createPayout'>;
export type NewPayout = BodyOf<'createPayout'>;
/** A payout with each of its slices, and exactly which part of its money is where. */
export type PayoutDetails = ValueOf<'getPayout'>;
export type PayoutSlice = PayoutDetails['slices'][number];
export type PayoutItem = ValueOf<'listPayouts'>['items'][number];
export type PayoutFilter = Omit<QueryOf<'listPayouts'>, 'cursor'>;

export type Connector = ValueOf<'getConnector'>;

/** What happened to a payment, as the stream tells it. Expect types and fields that you do not know. */
export interface PaymentEvent {
  readonly position: number;
  readonly version: number;
  readonly paymentId: string;
  readonly type: string;
  /**
   * The state after it. Of one payment it is carried on where an event leaves it as it is; among all payments, and where
   * watching began in the middle, such an event has none.
   */
  readonly status?: PaymentStatus;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What happened to an account, as the stream tells it. Of a wallet, `data.after` holds the figures after it. */
export interface AccountEvent {
  readonly position: number;
  readonly version: number;
  readonly accountId?: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What happened to a payout. What becomes of its slices, the topics of those payments tell. */
export interface PayoutEvent {
  readonly position: number;
  readonly version: number;
  readonly payoutId: string;
  readonly type: string;
  readonly status: Payout['state'];
  readonly data: Readonly<Record<string, unknown>>;
}

/** What happened to a connector's breaker. `data.after` holds the figures after it. */
export interface ConnectorEvent {
  readonly position: number;
  readonly version: number;
  readonly connectorId: string;
  readonly type: string;
  readonly status: Connector['state'];
  readonly data: Readonly<Record<string, unknown>>;
}
