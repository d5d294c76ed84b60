import { setup } from 'xstate';
import { assignmentsOf, stepperOf } from '../flat-machine.ts';
import type { InstructionFact, InstructionRefused } from '../payment/payment.facts.ts';

/**
 * How far a payment has come with its provider: of a slice of a payout it is the slice's status, and a CASH_IN or CASH_OUT
 * goes the same way. The payment's machine says which figures move; this one, which word of a provider may follow which.
 */
export type SliceStatus = 'pending' | 'sent' | 'in_doubt' | 'settled' | 'failed';

/** The payment ended otherwise: it was cancelled, or its hold expired. */
interface PaymentEnded {
  readonly type: 'PaymentEnded';
}
type SliceFact = InstructionFact | PaymentEnded;
type NoContext = Record<string, never>;

const stay = assignmentsOf<NoContext, SliceFact>()(({ context }) => context);
const mayGoElsewhere = ({ event }: { event: InstructionRefused }): boolean => event.elsewhere;

export const sliceMachine = setup({
  types: { context: {}, events: {} as SliceFact },
}).createMachine({
  id: 'slice',
  context: {},
  initial: 'pending',
  states: {
    // Nothing is known to be with the provider; an instruction may be on its way.
    pending: {
      on: {
        InstructionIssued: { description: 'none is on its way', actions: stay },
        InstructionNotSent: { actions: stay },
        InstructionAccepted: { target: 'sent', actions: stay },
        InstructionInDoubt: { target: 'in_doubt', actions: stay },
        InstructionConfirmed: { target: 'settled', actions: stay },
        InstructionRefused: [
          { description: 'another connector may be asked', guard: mayGoElsewhere, actions: stay },
          { target: 'failed', actions: stay },
        ],
        PaymentEnded: { description: 'cancelled or expired, and none is on its way', target: 'failed', actions: stay },
      },
    },
    sent: {
      on: {
        InstructionInDoubt: { target: 'in_doubt', actions: stay },
        InstructionConfirmed: { target: 'settled', actions: stay },
        InstructionRefused: { target: 'failed', actions: stay },
      },
    },
    // Whatever is said after a doubt is the end of it: nobody else is asked any more.
    in_doubt: {
      on: {
        InstructionIssued: {
          description: 'the same again: same connector, same key, and not before `resendAt`',
          actions: stay,
        },
        InstructionNotSent: { description: 'of the same again', actions: stay },
        InstructionInDoubt: { description: 'of the same again', actions: stay },
        InstructionUnresolved: { actions: stay },
        InstructionAccepted: { target: 'sent', actions: stay },
        InstructionConfirmed: { target: 'settled', actions: stay },
        InstructionRefused: { target: 'failed', actions: stay },
      },
    },
    settled: {},
    failed: {},
  },
});

const step = stepperOf<NoContext, SliceFact>(sliceMachine, {});

/** The status after a fact, or undefined where the machine takes none such. */
export function sliceAfter(status: SliceStatus, fact: SliceFact): SliceStatus | undefined {
  const next = step({ value: status, context: {} }, fact);
  return next === 'illegal' ? undefined : (next.value as SliceStatus);
}
