import { formatMinor } from '../../kernel/money.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import { hasCome } from '../../kernel/time.ts';
import type { Reverse } from '../commands.ts';
import { available } from '../account/account.machine.ts';
import type { Decision, World } from '../decision.ts';
import { accountClosed, accountFrozen, illegalTransition, insufficientFunds, invalid } from '../refusals.ts';
import { refused, Unit } from '../unit.ts';
import { commandsAllowed, refuseIllegal, refuseLive } from './allowed.ts';
import { stamped } from './applied.ts';
import type { PaymentContext, PaymentSnapshot } from './payment.machine.ts';
import { post, release } from './post.ts';
import { POSTINGS } from './postings.ts';

/** Undoes a payment: from AUTHORIZED the hold is released, from CAPTURED the money goes back, all of it. */
export function decideReverse(command: Reverse, at: string, payment: PaymentSnapshot, world: World): Decision {
  const { context } = payment;
  const isCaptured = payment.value === 'CAPTURED';
  const rows = isCaptured ? (POSTINGS[context.kind].reversed ?? []) : [];
  // What the provider proves has happened: the wallet gives the money back even below its limit, or frozen.
  const forced = command.reason === 'provider';
  const refusal =
    refuseIllegal(payment, command.type, 'PaymentReversed') ??
    refuseLive(payment) ??
    (command.reason === 'expired' ? refuseExpiry(payment, at) : undefined) ??
    (rows.some(({ side, direction }) => side === 'payee' && direction === 'Dr') && !forced
      ? refuseTakingBack(context, world)
      : undefined);
  if (refusal !== undefined) return refused(refusal);

  const unit = new Unit(world);
  unit.payment(command.paymentId, stamped(command, [{ type: 'PaymentReversed', reason: command.reason }]));
  if (isCaptured) post(unit, context, 'REVERSED', rows, { forced });
  else release(unit, context, 'REVERSED');
  return unit.decided();
}

/** Only a hold expires, and only when its time has come. */
function refuseExpiry(payment: PaymentSnapshot, at: string): Refusal | undefined {
  const { expiresAt } = payment.context;
  if (payment.value !== 'AUTHORIZED' || expiresAt === undefined) {
    return illegalTransition(payment.value, 'Reverse', commandsAllowed(payment), 'there is no hold that could expire');
  }
  return hasCome(expiresAt, at) ? undefined : invalid('reason', `the hold expires at ${expiresAt}`);
}

/** Money that a wallet was given is taken back only from an open wallet that still has it. */
function refuseTakingBack({ payee = '', captured }: PaymentContext, world: World): Refusal | undefined {
  const wallet = world.wallet(payee);
  if (wallet === undefined || wallet.value === 'CLOSED') return accountClosed(payee);
  if (wallet.value === 'FROZEN') return accountFrozen(payee);
  const free = available(wallet.context);
  return free < captured ? insufficientFunds(payee, formatMinor(free), formatMinor(captured)) : undefined;
}
