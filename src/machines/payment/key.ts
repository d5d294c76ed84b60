import { invariant } from '../../kernel/invariant.ts';
import type { RequestFact } from '../account/account.facts.ts';
import type { Command, PaymentCommand } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { idempotencyConflict } from '../refusals.ts';
import { paymentStream, requestStream, type PaymentStream, type RequestStream } from '../streams.ts';
import { refused } from '../unit.ts';

/**
 * A key is for one request. That a payment remembers its commands tells a repetition on that payment; that the key is not
 * used again on another target takes a place that both look at. For a command that makes a payment it is the payment's id;
 * every other command of somebody opens `request/<command id>`, in its own unit: whoever comes second finds it there, or
 * is stale and then finds it.
 * The other place must not exist when the unit is written (`elsewhere`): who looked too early is stale there, looks again,
 * and is refused. A Pay, the hottest path there is, looks for `request/…` only then.
 */

/** Whether the command's id comes from somebody's key. Machine-made ids say their target: `deadline:<payment>:<kind>`. */
export function isKeyed({ commandId }: Command): boolean {
  return !commandId.includes(':');
}

/** The stream that would exist had the command's key been used for a command of the other sort. */
export function elsewhere(command: Command): PaymentStream | RequestStream | undefined {
  if (!isKeyed(command)) return undefined;
  return command.type === 'Pay' ? requestStream(command.commandId) : paymentStream(command.commandId);
}

/**
 * The answer to a command whose key was used before, though its target does not know it: refused where that was on another
 * target or with another body. Where it was the same request, what is known of the payment is out of date, and the answer
 * is the first one all the same.
 */
export function answerToUsedKey(command: Command, world: World): Decision | undefined {
  if (!isKeyed(command)) return undefined;
  const { commandId, fingerprint } = command;
  const used = world.request(commandId);
  if (used?.type === 'StepHandled' && 'paymentId' in command && command.paymentId === used.paymentId) {
    return used.fingerprint === fingerprint
      ? { outcome: 'duplicate', stream: paymentStream(used.paymentId), version: used.version }
      : refused(idempotencyConflict(commandId));
  }
  if (used !== undefined) return refused(idempotencyConflict(commandId, targetOf(used)));
  if (world.payment(commandId) === undefined) return undefined;
  return refused(idempotencyConflict(commandId, `payment ${commandId}`));
}

function targetOf(used: RequestFact): string {
  switch (used.type) {
    case 'StepHandled':
      return `payment ${used.paymentId}`;
    case 'RequestHandled':
      return `account ${used.accountId}`;
    case 'PayoutHandled':
      return `payout ${used.payoutId}`;
    case 'ConnectorHandled':
      return `connector ${used.connectorId}`;
  }
}

/** The decision, with the command's key in it. */
export function withKey(decision: Decision, command: PaymentCommand): Decision {
  if (decision.outcome !== 'decided' || !isKeyed(command)) return decision;
  const { commandId, fingerprint, paymentId } = command;
  const stream = paymentStream(paymentId);
  const step = decision.changes.find((change) => change.stream === stream);
  invariant(
    step !== undefined && 'next' in step && 'context' in step.next,
    `${command.type} leaves nothing on ${stream}`,
  );
  const handled = { type: 'StepHandled', fingerprint, paymentId, version: step.next.context.version } as const;
  const key = { stream: requestStream(commandId), expect: 0, facts: [handled], next: handled } as const;
  return { ...decision, changes: [...decision.changes, key] };
}
