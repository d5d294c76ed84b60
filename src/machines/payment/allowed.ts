import type { Refusal } from '../../kernel/refusal.ts';
import type { PaymentCommand } from '../commands.ts';
import { takes } from '../flat-machine.ts';
import { illegalTransition, instructionLive } from '../refusals.ts';
import type { PaymentFact } from './payment.facts.ts';
import { paymentMachine, refundable, type PaymentSnapshot } from './payment.machine.ts';
import { isLive } from './transfer.ts';

/** What may be asked for, by the fact that it leads to. The machine says which facts a state takes. */
const COMMAND_OF = {
  PaymentAuthorized: 'Authorize',
  PaymentCaptured: 'Capture',
  PaymentSettled: 'Settle',
  PaymentFailed: 'Fail',
  PaymentReversed: 'Reverse',
  RefundReserved: 'Refund',
  InstructionIssued: 'Instruct',
  SettlementOverdue: 'MeetSettlement',
} as const satisfies Partial<Record<PaymentFact['type'], string>>;

type Leads = keyof typeof COMMAND_OF;

/** Nobody can ask for these: they are not told to people. */
const ofMachines: ReadonlySet<Leads> = new Set<Leads>(['InstructionIssued', 'SettlementOverdue']);

/** Commands that the payment's state allows. */
export function commandsAllowed({ value, context }: PaymentSnapshot): string[] {
  return (Object.keys(COMMAND_OF) as Leads[])
    .filter((fact) => takes(paymentMachine, value, fact) && !ofMachines.has(fact))
    .filter((fact) => fact !== 'RefundReserved' || refundable(context))
    .map((fact) => COMMAND_OF[fact]);
}

/** Refuses whatever would end or move a payment that a provider is at. */
export function refuseLive({ context }: PaymentSnapshot): Refusal | undefined {
  return isLive(context.transfer) ? instructionLive(context.transfer?.instructions?.connector ?? '') : undefined;
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
