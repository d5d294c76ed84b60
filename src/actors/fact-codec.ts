import type { NewEvent, RecordedEvent } from '../../eventstore/index.ts';
import type { RequestFact, SystemEntryPosted, WalletFact } from '../machines/account/account.facts.ts';
import type { PaymentFact } from '../machines/payment/payment.facts.ts';

/** Every fact is at the first version of its schema today. An upcaster joins here with the first change. */
const schema = 1;

/** A fact as the log stores it. */
export function eventOf(fact: { readonly type: string }): NewEvent {
  const { type, ...data } = fact;
  return { type, schema, data };
}

/** A stored event as the fact that it was. The log holds what the machines wrote: the category of its stream says which. */
export function factOf(event: RecordedEvent): PaymentFact | WalletFact | SystemEntryPosted | RequestFact {
  return { type: event.type, ...event.data } as PaymentFact | WalletFact | SystemEntryPosted | RequestFact;
}
