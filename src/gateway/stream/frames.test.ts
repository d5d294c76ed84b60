import { describe, expect, it } from 'vitest';
import { paymentMachine } from '../../machines/payment/payment.machine.ts';
import type { RecordedRow } from '../../../eventstore/index.ts';
import { eventsJson, statusAfter } from './frames.ts';

/** Proves that the status told with an event of a payment is the one in which the machine is after it. */
describe('the status after an event', () => {
  const states = paymentMachine.config.states as Readonly<
    Record<string, { readonly on?: Readonly<Record<string, { readonly target?: string }>> }>
  >;
  const transitions = Object.entries(states).flatMap(([state, { on = {} }]) =>
    Object.entries(on).map(([fact, { target }]) => [fact, state, target ?? state] as const),
  );

  it.each(transitions)('%s in %s leads to %s', (fact, state, target) => {
    const said = statusAfter[fact as keyof typeof statusAfter];
    const leadsTo = new Set(transitions.filter(([one]) => one === fact).map(([, , to]) => to));
    // What leads nowhere else says nothing where it may come in several states.
    if (leadsTo.size > 1) expect([said, target]).toEqual([undefined, state]);
    else expect(said).toBe(target);
  });

  it('is known for every fact of the machine, and for no other', () => {
    expect([...new Set(transitions.map(([fact]) => fact))].sort()).toEqual(Object.keys(statusAfter).sort());
  });
});

describe('what a party to a payment is told', () => {
  it('is nothing of what passes between us and a provider', () => {
    const secret = 'SECRET';
    const facts = {
      InstructionIssued: { connector: secret, provider: 'momo', sendBefore: secret, resendAt: secret },
      InstructionNotSent: { reason: secret },
      InstructionAccepted: { providerRef: secret },
      InstructionInDoubt: { reason: secret },
      InstructionConfirmed: { providerRef: secret },
      InstructionRefused: { code: secret, elsewhere: false },
      InstructionUnresolved: { reason: secret },
      LateSuccessPosted: { provider: 'momo', providerRef: secret, providerFee: secret },
      ProviderFeeCorrected: { providerFee: secret },
    };
    const events = Object.entries(facts).map(([type, data]) => ({
      type,
      schema: 1,
      data: { instruction: 1, ...data },
    }));
    const row = { stream: 'payment/p1', version: 3, position: 10, events } as unknown as RecordedRow;
    expect(eventsJson(row, 0, true)).not.toContain(secret);
    expect(JSON.parse(`[${eventsJson(row, 0, true)}]`)).toHaveLength(events.length);
    for (const { type } of events) expect(eventsJson(row, 0)).toContain(type);
    expect(eventsJson(row, 0).split(secret)).toHaveLength(13);
    // Why it failed is told: somebody has to do something about it.
    const failed = [{ type: 'PaymentFailed', schema: 2, data: { cause: 'requested', reason: 'no such account' } }];
    expect(eventsJson({ ...row, events: failed } as unknown as RecordedRow, 0, true)).toContain('no such account');
  });
});
