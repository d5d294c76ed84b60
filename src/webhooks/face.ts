import type { PageOf, Page } from '../kernel/page.ts';

/** What the face says and is told. Instants are ISO 8601. */
export interface EndpointView {
  readonly id: string;
  readonly owner: string;
  readonly url: string;
  readonly types: readonly string[];
  readonly createdAt: string;
  /** While a secret is rotated: the one before signs too, until then. */
  readonly previousSecretUntil?: string;
  readonly pending: number;
  readonly dead: number;
  /** When what waits longest was recorded: the endpoint's lag. Absent: nothing waits. */
  readonly oldestPendingAt?: string;
}

export interface AddedEndpoint extends EndpointView {
  /** Said now and never again. */
  readonly secret: string;
}

export interface RotatedSecret {
  readonly secret: string;
  readonly previousSecretUntil: string;
}

export const deliveryStatuses = ['pending', 'delivered', 'dead', 'skipped'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export interface DeliveryView {
  readonly eventId: string;
  readonly type: string;
  readonly subject: string;
  readonly sequence: number;
  readonly recordedAt: string;
  readonly status: DeliveryStatus;
  /** Tries since it was made or replayed. */
  readonly attempts: number;
  readonly lastTriedAt?: string;
  readonly lastError?: string;
}

/** What is delivered once more. */
export interface ReplayFilter {
  /** Of those that came to this end. Default `dead`; with an `eventId` whatever it came to. */
  readonly status?: Exclude<DeliveryStatus, 'pending'>;
  readonly eventId?: string;
  /** As endpoints choose: `payment.captured`, `payment.*`, `*`. */
  readonly types?: readonly string[];
  /** Recorded from then on, up to before then. */
  readonly from?: Date;
  readonly to?: Date;
}

export type WebhookRefusalCode = 'WebhookNotFound' | 'WebhookRefused' | 'TooManyWebhooks' | 'DeliveryNotDead';
export interface WebhookRefusal {
  readonly code: WebhookRefusalCode;
  readonly message: string;
  /** Which field of the request cannot be right. */
  readonly field?: string;
}
export type Answer<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: WebhookRefusal };

/** Whose endpoints are meant: those of a principal, or everybody's. */
export type Whose = { readonly owner: string } | 'anybody';

/** The face of the module, for doors and the command line. */
/** What waits to be told to others. */
export interface WebhookBacklog {
  readonly pending: number;
  readonly dead: number;
  /** When what waits longest was recorded. Absent: nothing waits. */
  readonly oldestPendingAt?: Date;
  /** By reader (`deliveries`: the relay; `publisher:<name>`): events of the log that it has not taken. */
  readonly behind: Readonly<Record<string, number>>;
}

export interface Webhooks {
  /** Of all endpoints together. */
  backlog(): Promise<WebhookBacklog>;
  /** It is told what is recorded from now on. */
  add(request: {
    readonly owner: string;
    readonly url: string;
    readonly types: readonly string[];
  }): Promise<Answer<AddedEndpoint>>;
  list(whose: Whose): Promise<readonly EndpointView[]>;
  /** What was not delivered yet never will be. */
  remove(id: string, whose: Whose): Promise<Answer<undefined>>;
  /** A new secret. For `overlapMs` (default: a day) deliveries are signed with both. */
  rotate(id: string, whose: Whose, overlapMs?: number): Promise<Answer<RotatedSecret>>;
  /** The newest first. */
  deliveries(
    id: string,
    whose: Whose,
    filter: { readonly status?: DeliveryStatus },
    page: Page,
  ): Promise<Answer<PageOf<DeliveryView>>>;
  /** Delivers again, with new three days for each. What is still pending is not meant. */
  replay(id: string, whose: Whose, filter: ReplayFilter): Promise<Answer<{ readonly replayed: number }>>;
  /** Gives up a dead delivery, so that what waits behind it goes on. */
  skip(id: string, whose: Whose, eventId: string): Promise<Answer<undefined>>;
}

/** Seals secrets: the keyring of identity, as far as it is needed here. */
export interface Sealer {
  readonly keyIds: readonly string[];
  keyIdOf(sealed: Buffer): string;
  seal(plain: string, place: string): Buffer;
  open(sealed: Buffer, place: string): Buffer;
}
