import { formatMinor } from '../../kernel/money.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import { hasCome } from '../../kernel/time.ts';
import type { Capture } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { accountClosed, accountFrozen, captureExceedsAuthorized, holdExpired, invalid } from '../refusals.ts';
import { refused, Unit } from '../unit.ts';
import { refuseIllegal, refuseLive } from './allowed.ts';
import { stamped } from './applied.ts';
import { partyOf } from './judge.ts';
import { capturedOf } from './pay.ts';
import type { PaymentFact } from './payment.facts.ts';
import type { PaymentContext, PaymentSnapshot } from './payment.machine.ts';
import { post, releaseShare } from './post.ts';
import { POSTINGS } from './postings.ts';

/** Takes the money, all of it or a part; a part frees the rest of the hold. */
export function decideCapture(command: Capture, at: string, payment: PaymentSnapshot, world: World): Decision {
  const { context } = payment;
  const amount = command.amount ?? context.authorized;
  const refusal =
    refuseIllegal(payment, command.type, 'PaymentCaptured') ??
    refuseLive(payment) ??
    refuseAmount(context, amount) ??
    // Refused even when nothing has fired yet: whether a capture is in time must not depend on a scheduler.
    (context.expiresAt !== undefined && hasCome(context.expiresAt, at) ? holdExpired(context.expiresAt) : undefined) ??
    refuseParties(context, world);
  if (refusal !== undefined) return refused(refusal);

  const rules = POSTINGS[context.kind];
  const settles = rules.settled === undefined;
  const facts: PaymentFact[] = [capturedOf(amount, settles ? undefined : command.settlesAt)];
  if (settles) facts.push({ type: 'PaymentSettled', fee: '0', providerFee: '0' });

  const unit = new Unit(world);
  const after = unit.payment(command.paymentId, stamped(command, facts)).context;
  post(unit, after, 'CAPTURED', rules.captured, { released: context.held });
  const rest = context.authorized - amount;
  if (context.original !== undefined && rest > 0n) releaseShare(unit, context, context.original, rest);
  return unit.decided();
}

function refuseAmount(context: PaymentContext, amount: bigint): Refusal | undefined {
  if (amount <= 0n) return invalid('amount', 'the amount captured must be above 0');
  if (POSTINGS[context.kind].slice === true && amount < context.authorized)
    return invalid('amount', 'a slice is one transaction at its bank: it is captured whole');
  if (amount <= context.authorized) return undefined;
  return captureExceedsAuthorized(formatMinor(context.authorized), formatMinor(amount));
}

/**
 * Money of a wallet is not moved while that wallet is frozen, nor towards a wallet that was closed. Money that comes from
 * outside has moved already: nobody is asked, and what cannot reach its wallet waits in suspense.
 */
function refuseParties({ payer, payee }: PaymentContext, world: World): Refusal | undefined {
  if (payer === undefined) return undefined;
  if (partyOf(world, payer)?.value === 'FROZEN') return accountFrozen(payer);
  if (payee !== undefined && partyOf(world, payee)?.value === 'CLOSED') return accountClosed(payee);
  return undefined;
}
