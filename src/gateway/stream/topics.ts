import type { StreamId } from '../../../eventstore/index.ts';
import { accountStream, connectorStream, paymentStream, payoutStream, systemStream } from '../../machines/streams.ts';

/** A topic of one stream of the log. A wallet and a system account are both `account/<id>` to the client. */
export interface StreamTopic {
  readonly kind: 'payment' | 'wallet' | 'system' | 'payout' | 'connector';
  /** As the client writes it: `payment/<id>`, `account/<id>`, `payout/<id>`, `connector/<id>`. */
  readonly name: string;
  readonly id: string;
  readonly stream: StreamId;
  /**
   * Of a payment: for somebody who is a party to it. Why it failed is told, but not by which figures, which may be of the
   * other party's account; nor the fees, which are between us and one of them; nor what passes between us and a provider.
   */
  readonly discreet?: true;
}
/** All events of all payments. */
export interface PaymentsTopic {
  readonly kind: 'payments';
  readonly name: 'payments';
}
export type Topic = StreamTopic | PaymentsTopic;

const PAYMENTS: PaymentsTopic = { kind: 'payments', name: 'payments' };
const NAMED = /^(payment|account|payout|connector)\/([A-Za-z0-9_.:-]{1,200})$/;

/** The topic that a client names, or undefined if there can be none of that name. */
export function parseTopic(name: string): Topic | undefined {
  if (name === PAYMENTS.name) return PAYMENTS;
  const match = NAMED.exec(name);
  const id = match?.[2];
  if (match === null || id === undefined) return undefined;
  switch (match[1]) {
    case 'payment':
      return { kind: 'payment', name, id, stream: paymentStream(id) };
    case 'payout':
      return { kind: 'payout', name, id, stream: payoutStream(id) };
    case 'connector':
      return { kind: 'connector', name, id, stream: connectorStream(id) };
    default:
      return accountTopic(id);
  }
}

/** The topic of an account. */
export function accountTopic(id: string): StreamTopic {
  const name = `account/${id}`;
  // Only ids of system accounts have a colon (`float:cash:XOF`).
  if (id.includes(':')) return { kind: 'system', name, id, stream: systemStream(id) };
  return { kind: 'wallet', name, id, stream: accountStream(id) };
}

/** A topic as its own people see it. */
export function discreet(topic: Topic): Topic {
  return topic.kind === 'payment' ? { ...topic, discreet: true } : topic;
}

/** Under what the discreet topic of a stream is found: no stream ends like this. */
export const discreetKeyOf = (stream: StreamId): string => `${stream}#`;

/** Under what a topic's events are found, row by row: its stream, or `payments`. */
export function keyOf(topic: Topic): string {
  if (topic.kind === 'payments') return topic.name;
  return topic.discreet === true ? discreetKeyOf(topic.stream) : topic.stream;
}
