import { describe, expect, it } from 'vitest';
import { paymentMachine } from '../../machines/payment/payment.machine.ts';
import { statusAfter } from './frames.ts';

/** Proves that the status told with an event of a payment is the one in which the machine is after it. */
describe('the status after an event', () => {
  const states = paymentMachine.config.states as Readonly<
    Record<string, { readonly on?: Readonly<Record<string, { readonly target?: string }>> }>
  >;
  const transitions = Object.entries(states).flatMap(([state, { on = {} }]) =>
    Object.entries(on).map(([fact, { target }]) => [fact, state, target ?? state] as const),
  );

  it.each(transitions)('%s in %s leads to %s', (fact, _, target) => {
    expect(statusAfter[fact as keyof typeof statusAfter]).toBe(target);
  });

  it('is known for every fact of the machine, and for no other', () => {
    expect([...new Set(transitions.map(([fact]) => fact))].sort()).toEqual(Object.keys(statusAfter).sort());
  });
});
