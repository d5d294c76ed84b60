import type { PaymentCommand } from '../commands.ts';
import type { Decision } from '../decision.ts';
import { idempotencyConflict } from '../refusals.ts';
import { paymentStream } from '../streams.ts';
import { refused } from '../unit.ts';
import type { PaymentFact } from './payment.facts.ts';
import { appliedCommand, type PaymentSnapshot } from './payment.machine.ts';

/** Marks the first of the facts that a command leaves on its payment: by it the payment knows the command for ever. */
export function stamped(command: PaymentCommand, facts: readonly PaymentFact[]): PaymentFact[] {
  const { commandId, fingerprint } = command;
  return facts.map((fact, index) => (index > 0 ? fact : { ...fact, commandId, fingerprint, facts: facts.length }));
}

/** The answer to a command that the payment has applied before; undefined when it is new to it. */
export function answerToRepeated(command: PaymentCommand, payment: PaymentSnapshot): Decision | undefined {
  const applied = appliedCommand(payment.context, command.commandId);
  if (applied === undefined) {
    // The payment was made by another command than its id stands for: whatever made it, it was not this one.
    return command.type === 'Pay' ? refused(idempotencyConflict(command.commandId)) : undefined;
  }
  if (applied.fingerprint !== command.fingerprint) return refused(idempotencyConflict(command.commandId));
  return { outcome: 'duplicate', stream: paymentStream(command.paymentId), version: applied.version };
}
