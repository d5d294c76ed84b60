import type { Refusal } from '../../kernel/refusal.ts';
import { hasCome } from '../../kernel/time.ts';
import type { Instruct } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { accountFrozen, holdExpired, illegalTransition, instructionLive, invalid } from '../refusals.ts';
import { refused, Unit } from '../unit.ts';
import { commandsAllowed, refuseIllegal } from './allowed.ts';
import { stamped } from './applied.ts';
import { partyOf } from './judge.ts';
import type { PaymentSnapshot } from './payment.machine.ts';
import { POSTINGS } from './postings.ts';
import { hasRefused, isLive, mayIssue, untouched } from './transfer.ts';

/** Writes down what a connector is about to be told: from then on nobody else ends or moves the payment. */
export function decideInstruct(command: Instruct, at: string, payment: PaymentSnapshot, world: World): Decision {
  const { context } = payment;
  const { connector, provider, sendBefore, resendAt } = command;
  const transfer = context.transfer ?? untouched;
  const refusal =
    refuseIllegal(payment, command.type, 'InstructionIssued') ??
    (POSTINGS[context.kind].capturedWhen === undefined
      ? illegalTransition(payment.value, command.type, commandsAllowed(payment), `a ${context.kind} has no provider`)
      : undefined) ??
    refuseAnother(command, at, payment) ??
    // What goes out of a hold must have been told before the hold ends.
    (context.expiresAt !== undefined && hasCome(context.expiresAt, at) ? holdExpired(context.expiresAt) : undefined) ??
    (hasCome(sendBefore, at) ? invalid('sendBefore', 'it would be too late to send it') : undefined) ??
    refuseOutflow(payment, world);
  if (refusal !== undefined) return refused(refusal);

  const unit = new Unit(world);
  const fact = {
    type: 'InstructionIssued',
    instruction: (transfer.instructions?.number ?? 0) + 1,
    connector,
    provider,
    sendBefore,
    ...(resendAt !== undefined && { resendAt }),
  } as const;
  unit.payment(command.paymentId, stamped(command, [fact]));
  return unit.decided();
}

function refuseAnother(command: Instruct, at: string, { value, context }: PaymentSnapshot): Refusal | undefined {
  const transfer = context.transfer ?? untouched;
  if (mayIssue(transfer, command, at)) return undefined;
  if (isLive(transfer)) return instructionLive(transfer.instructions?.connector ?? '');
  const why = hasRefused(transfer, command.connector) ? `${command.connector} has refused it` : undefined;
  return illegalTransition(value, command.type, [], why);
}

/** Nothing is begun for a wallet that was frozen meanwhile, or a payout that was cancelled. */
function refuseOutflow({ value, context }: PaymentSnapshot, world: World): Refusal | undefined {
  const { payer, route } = context;
  if (payer !== undefined && partyOf(world, payer)?.value === 'FROZEN') return accountFrozen(payer);
  if (route?.payout !== undefined && world.payout(route.payout)?.value === 'CANCELLED')
    return illegalTransition(value, 'Instruct', ['Fail'], `payout ${route.payout} was cancelled`);
  return undefined;
}
