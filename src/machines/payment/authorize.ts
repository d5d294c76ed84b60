import { hasCome } from '../../kernel/time.ts';
import { holdPlaced } from '../account/moves.ts';
import type { Authorize } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { invalid } from '../refusals.ts';
import { refused, Unit } from '../unit.ts';
import { refuseIllegal } from './allowed.ts';
import { stamped } from './applied.ts';
import { failedBy } from './failure.ts';
import { noteRefusal, partyOf, refuseClosed, refuseDebit } from './judge.ts';
import { authorized } from './pay.ts';
import type { PaymentSnapshot } from './payment.machine.ts';
import { release } from './post.ts';
import { POSTINGS } from './postings.ts';

/** Places the hold. Here an INITIATED payment is judged, so a refusal ends it, as that of a create does. */
export function decideAuthorize(command: Authorize, at: string, payment: PaymentSnapshot, world: World): Decision {
  const illegal = refuseIllegal(payment, command.type, 'PaymentAuthorized');
  if (illegal !== undefined) return refused(illegal);
  const { context } = payment;
  const { holds } = POSTINGS[context.kind];
  if (holds && hasCome(command.expiresAt, at))
    return refused(invalid('expiresAt', 'the hold would be expired already'));

  const unit = new Unit(world);
  const payer = partyOf(world, context.payer);
  const payee = partyOf(world, context.payee);
  const refusal = refuseClosed({ payer, payee }) ?? refuseDebit(payer, context.amount);
  if (refusal !== undefined) {
    unit.payment(command.paymentId, stamped(command, [failedBy(refusal)]));
    noteRefusal(unit, refusal, { id: command.paymentId, amount: context.amount, original: context.original });
    release(unit, context, 'FAILED');
    return unit.decided(refusal);
  }
  const hold = holds ? { amount: context.amount, expiresAt: command.expiresAt } : undefined;
  unit.payment(command.paymentId, stamped(command, [authorized(hold)]));
  if (holds && payer !== undefined) {
    unit.walletFact(payer.context.accountId, holdPlaced(payer, command.paymentId, context.amount));
  }
  return unit.decided();
}
