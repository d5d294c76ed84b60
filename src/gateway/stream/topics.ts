import type { StreamId } from '../../../eventstore/index.ts';
import { accountStream, paymentStream, systemStream } from '../../machines/streams.ts';

/** A topic of one stream of the log. A wallet and a system account are both `account/<id>` to the client. */
export interface StreamTopic {
  readonly kind: 'payment' | 'wallet' | 'system';
  /** As the client writes it: `payment/<id>`, `account/<id>`. */
  readonly name: string;
  readonly id: string;
  readonly stream: StreamId;
}
/** All events of all payments. */
export interface PaymentsTopic {
  readonly kind: 'payments';
  readonly name: 'payments';
}
export type Topic = StreamTopic | PaymentsTopic;

const PAYMENTS: PaymentsTopic = { kind: 'payments', name: 'payments' };
const NAMED = /^(payment|account)\/([A-Za-z0-9_.:-]{1,200})$/;

/** The topic that a client names, or undefined if there can be none of that name. */
export function parseTopic(name: string): Topic | undefined {
  if (name === PAYMENTS.name) return PAYMENTS;
  const match = NAMED.exec(name);
  const id = match?.[2];
  if (match === null || id === undefined) return undefined;
  if (match[1] === 'payment') return { kind: 'payment', name, id, stream: paymentStream(id) };
  // Only ids of system accounts have a colon (`float:cash:XOF`).
  if (id.includes(':')) return { kind: 'system', name, id, stream: systemStream(id) };
  return { kind: 'wallet', name, id, stream: accountStream(id) };
}

/** Under what a topic's events are found, row by row: its stream, or `payments`. */
export function keyOf(topic: Topic): string {
  return topic.kind === 'payments' ? topic.name : topic.stream;
}
