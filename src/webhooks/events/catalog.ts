import { type Static, type TObject, Type } from 'typebox';

/**
 * What others are told: a small vocabulary of its own, that stays when our facts change. Each type has a version and one
 * schema, from which the documents in `docs/events/` and the TypeScript types are made.
 *
 * Minimal: ids, amounts, currency, status. No text that a person wrote (reasons), no owner, no balance: whoever needs more
 * asks the http door, which knows who may see it. To add a type: a line here, one in `public-events.ts`, then
 * `npm run generate:docs`. To change one: docs/events.md, "Events for others".
 */
const paymentId = Type.String({ description: 'id of the payment' });
const payoutId = Type.String({ description: 'id of the payout' });
const connectorId = Type.String({ description: 'id of the connector' });
const accountId = Type.String({ description: 'id of the account' });
const amount = Type.String({ pattern: '^(?:0|[1-9][0-9]*)$', description: 'minor units, as a decimal string' });
const currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' });
const instant = Type.String({ format: 'date-time', description: 'ISO 8601, in UTC' });

/** Texts whose values may become more: a consumer must bear one that it does not know. */
const open = (description: string) => Type.String({ description: `${description}; expect further values` });

const ofPayment = <Status extends string, Fields extends Record<string, ReturnType<typeof Type.Optional> | object>>(
  status: Status,
  fields: Fields,
) =>
  Type.Object({
    paymentId,
    status: Type.Literal(status, { description: 'the state that the payment reached by it' }),
    ...fields,
  });
/** One attempt to have a provider do something. */
const ofAttempt = <Fields extends Record<string, ReturnType<typeof Type.String>>>(fields: Fields) =>
  Type.Object({
    paymentId,
    instruction: Type.Integer({ minimum: 1, description: 'number of the attempt' }),
    ...fields,
  });
const providerRef = Type.String({ description: "the provider's own reference" });
const ofBreaker = <State extends string>(state: State) =>
  Type.Object({
    connectorId,
    state: Type.Literal(state, { description: 'the state of its circuit breaker after it' }),
    forced: Type.Boolean({ description: 'a person said so' }),
  });
const ofAccount = <Status extends string>(status: Status) =>
  Type.Object({ accountId, status: Type.Literal(status, { description: 'the state of the account after it' }) });

export const catalog = {
  'payment.initiated': {
    version: 1,
    summary: 'A payment was made. Whether it comes to anything, the next events tell.',
    data: ofPayment('INITIATED', {
      kind: open('P2P, CASH_IN, CASH_OUT, MERCHANT, REFUND, FUNDING, PAYOUT, PAYOUT_RETURN'),
      amount,
      currency,
      payer: Type.Optional(Type.String({ description: 'account that is debited' })),
      payee: Type.Optional(Type.String({ description: 'account that is credited' })),
      provider: Type.Optional(Type.String({ description: 'provider through which the money goes or comes' })),
      original: Type.Optional(
        Type.String({ description: 'REFUND: the payment that it gives back; PAYOUT_RETURN: the slice that came back' }),
      ),
      payout: Type.Optional(Type.String({ description: 'PAYOUT: the payout that it is a slice of' })),
    }),
  },
  'payment.authorized': {
    version: 1,
    summary: 'The money is promised to the payment. Nothing has moved yet.',
    data: ofPayment('AUTHORIZED', {
      held: Type.Optional(amount),
      currency: Type.Optional(currency),
      expiresAt: Type.Optional(instant),
    }),
  },
  'payment.captured': {
    version: 1,
    summary: 'The money has left the payer.',
    data: ofPayment('CAPTURED', { amount, currency, settlesAt: Type.Optional(instant) }),
  },
  'payment.settled': {
    version: 1,
    summary: 'The money is where it was to go.',
    data: ofPayment('SETTLED', { fee: amount, providerFee: amount, currency }),
  },
  'payment.failed': {
    version: 1,
    summary: 'The payment ended before any money moved.',
    data: ofPayment('FAILED', {
      cause: open('refused: we would not; requested: somebody ended it'),
      code: Type.Optional(open('refused: why, as in docs/errors.md')),
    }),
  },
  'payment.reversed': {
    version: 1,
    summary: 'The hold was released, or the money went back.',
    data: ofPayment('REVERSED', { reason: open('requested, expired, provider') }),
  },
  'payment.refund_reserved': {
    version: 1,
    summary:
      'A REFUND took its share of this payment. The refund is a payment with events of its own: it is done when that is settled.',
    data: Type.Object({ paymentId, refund: Type.String({ description: 'id of the REFUND' }), amount }),
  },
  'payment.refund_released': {
    version: 1,
    summary: 'A REFUND of this payment failed or was reversed: its share may be refunded again.',
    data: Type.Object({ paymentId, refund: Type.String({ description: 'id of the REFUND' }), amount }),
  },
  'payment.instructed': {
    version: 1,
    summary: 'A connector is about to be told. Nothing has been sent yet.',
    data: ofAttempt({ connectorId, provider: Type.String({ description: 'whose accounts move' }) }),
  },
  'payment.not_sent': { version: 1, summary: 'Not a byte of that attempt was sent.', data: ofAttempt({}) },
  'payment.accepted': { version: 1, summary: 'The provider has taken it on.', data: ofAttempt({ providerRef }) },
  'payment.in_doubt': {
    version: 1,
    summary: 'Nobody knows what became of that attempt. It is being found out, and nothing is sent blindly.',
    data: ofAttempt({}),
  },
  'payment.confirmed': { version: 1, summary: 'The provider has carried it out.', data: ofAttempt({ providerRef }) },
  'payment.refused_by_provider': {
    version: 1,
    summary: 'A final "no" of the provider: nothing has moved. Whether another one is asked, the next events tell.',
    data: ofAttempt({}),
  },
  'payment.unresolved': {
    version: 1,
    summary: 'Asking does not help: a statement or people must say what became of it.',
    data: ofAttempt({}),
  },
  'payment.paid_late': {
    version: 1,
    summary: 'The provider carried out what had ended without it. The money waits in suspense.',
    data: ofAttempt({ provider: Type.String(), providerRef, providerFee: amount }),
  },
  'payment.fee_corrected': {
    version: 1,
    summary: 'The provider took another fee than it had said first.',
    data: Type.Object({ paymentId, providerFee: amount }),
  },
  'payment.settlement_overdue': {
    version: 1,
    summary: 'The provider has not settled by the day that it should.',
    data: Type.Object({ paymentId, settlesAt: instant }),
  },
  'payout.created': {
    version: 1,
    summary: 'A payout was made. Each slice is a payment of kind PAYOUT, with events of its own.',
    data: Type.Object({
      payoutId,
      status: Type.Literal('OPEN', { description: 'the state of the payout' }),
      amount,
      currency,
      payer: Type.String({ description: 'the treasury account' }),
      provider: Type.String(),
      slices: Type.Array(Type.Object({ paymentId, amount })),
    }),
  },
  'payout.failed': {
    version: 1,
    summary: 'It was refused, and holds nothing.',
    data: Type.Object({
      payoutId,
      status: Type.Literal('FAILED', { description: 'the state of the payout' }),
      code: open('why, as in docs/errors.md'),
    }),
  },
  'payout.cancelled': {
    version: 1,
    summary: 'What no provider had yet is not paid any more. What one has goes on to its end.',
    data: Type.Object({
      payoutId,
      status: Type.Literal('CANCELLED', { description: 'the state of the payout' }),
      slices: Type.Array(Type.String(), { description: 'payments that were cancelled by it' }),
    }),
  },
  'connector.opened': {
    version: 1,
    summary: 'Nothing new goes through this connector.',
    data: ofBreaker('OPEN'),
  },
  'connector.half_opened': {
    version: 1,
    summary: 'A few payments try whether it works again.',
    data: ofBreaker('HALF_OPEN'),
  },
  'connector.closed': { version: 1, summary: 'It works.', data: ofBreaker('CLOSED') },
  'account.opened': {
    version: 1,
    summary: 'A wallet was opened.',
    data: Type.Object({
      accountId,
      status: Type.Literal('OPEN', { description: 'the state of the account after it' }),
      walletType: open('customer, merchant, treasury'),
      currency,
    }),
  },
  'account.frozen': { version: 1, summary: 'Nothing is debited any more.', data: ofAccount('FROZEN') },
  'account.unfrozen': { version: 1, summary: 'It may be debited again.', data: ofAccount('OPEN') },
  'account.closed': { version: 1, summary: 'It is closed, for ever.', data: ofAccount('CLOSED') },
} as const satisfies Readonly<Record<string, EventKind>>;

/** What is said of a type of event. */
export interface EventKind {
  readonly version: number;
  readonly summary: string;
  readonly data: TObject;
}

export type EventType = keyof typeof catalog;
export type DataOf<Type extends EventType> = Static<(typeof catalog)[Type]['data']>;

export const eventTypes = Object.keys(catalog) as readonly EventType[];

/** A type with its data. */
export type Told = { [Type in EventType]: { readonly type: Type; readonly data: DataOf<Type> } }[EventType];

/** What is sent, as JSON. */
export interface Envelope {
  /** The same whenever the event is told again: what a consumer remembers. */
  readonly id: string;
  readonly type: EventType;
  readonly version: number;
  /** When the log recorded it. */
  readonly createdAt: string;
  /** `payment/<id>`, `payout/<id>`, `account/<id>` or `connector/<id>`: events of one subject come in order. */
  readonly subject: string;
  /** Counts what happened to the subject. Grows with each event of it; numbers of what is not told are missing. */
  readonly sequence: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event on its way out. */
export interface PublicEvent {
  /** Of its fact in the log. Not told: it would say how much happens here. */
  readonly position: number;
  readonly envelope: Envelope;
  /** The envelope as JSON: the very bytes that are signed and sent, each time. */
  readonly body: string;
}
