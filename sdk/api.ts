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

/** What happened to a payment, as the stream tells it. Expect types and fields that you do not know. */
export interface PaymentEvent {
  readonly position: number;
  readonly version: number;
  readonly paymentId: string;
  readonly type: string;
  /** The state after it. */
  readonly status: PaymentStatus;
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
