import type { Refusal } from '../../kernel/refusal.ts';
import type { PaymentCommand } from '../commands.ts';
import { takes } from '../flat-machine.ts';
import { illegalTransition } from '../refusals.ts';
import type { PaymentFact } from './payment.facts.ts';
import { paymentMachine, refundable, type PaymentSnapshot } from './payment.machine.ts';

/** What people may ask for, by the fact that it leads to. The machine says which facts a state takes. */
const COMMAND_OF = {
  PaymentAuthorized: 'Authorize',
  PaymentCaptured: 'Capture',
  PaymentSettled: 'Settle',
  PaymentFailed: 'Fail',
  PaymentReversed: 'Reverse',
  RefundReserved: 'Refund',
} as const satisfies Partial<Record<PaymentFact['type'], string>>;

type Leads = keyof typeof COMMAND_OF;

/** Commands that the payment's state allows. */
export function commandsAllowed({ value, context }: PaymentSnapshot): string[] {
  return (Object.keys(COMMAND_OF) as Leads[])
    .filter((fact) => takes(paymentMachine, value, fact) && (fact !== 'RefundReserved' || refundable(context)))
    .map((fact) => COMMAND_OF[fact]);
}

/** Refuses a command whose fact the payment's state does not take. */
export function refuseIllegal(
  payment: PaymentSnapshot,
  command: PaymentCommand['type'],
  leadsTo: Leads,
): Refusal | undefined {
  if (takes(paymentMachine, payment.value, leadsTo)) return undefined;
  return illegalTransition(payment.value, command, commandsAllowed(payment));
}
