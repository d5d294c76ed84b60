import { formatMinor } from '../../kernel/money.ts';
import { hasCome } from '../../kernel/time.ts';
import { holdPlaced } from '../account/moves.ts';
import type { Pay, PayUpTo } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { invalid } from '../refusals.ts';
import { refused, Unit } from '../unit.ts';
import { stamped } from './applied.ts';
import { failedBy } from './failure.ts';
import { noteRefusal, refuseClosed, refuseDebit, refuseShare } from './judge.ts';
import type { PaymentAuthorized, PaymentCaptured, PaymentFact, PaymentInitiated } from './payment.facts.ts';
import { post } from './post.ts';
import { feeOf } from './postings.ts';
import { termsOf, type Terms } from './terms.ts';

const REACHES: Readonly<Record<PayUpTo, number>> = { INITIATED: 0, AUTHORIZED: 1, CAPTURED: 2, SETTLED: 3 };

/**
 * Makes a payment and takes it as far as asked, in one unit. What can be decided by nobody but the other actors (funds,
 * freezes, what is left to refund) is recorded when it is refused; what is wrong in itself leaves nothing.
 */
export function decidePay(command: Pay, at: string, world: World): Decision {
  const terms = termsOf(command, world);
  if ('code' in terms) return refused(terms);
  const { rules, original } = terms;
  const reach = REACHES[command.upTo];
  const stays = rules.holds && command.upTo === 'AUTHORIZED';
  if (stays && hasCome(command.expiresAt, at))
    return refused(invalid('expiresAt', 'the hold would be expired already'));

  const unit = new Unit(world);
  const initiated = initiatedBy(command, terms);
  const refusal =
    refuseShare(original, command.amount) ??
    refuseClosed(terms) ??
    // Funds and freezes are judged when the payment is authorized, which may be much later.
    (reach >= REACHES.AUTHORIZED ? refuseDebit(terms.payer, command.amount) : undefined);
  if (refusal !== undefined) {
    unit.payment(command.paymentId, stamped(command, [initiated, failedBy(refusal)]));
    noteRefusal(unit, refusal, { id: command.paymentId, amount: command.amount, original: command.original });
    return unit.decided(refusal);
  }

  const captured = command.captureAmount ?? command.amount;
  const facts: PaymentFact[] = [initiated];
  const settles = reach >= REACHES.SETTLED || rules.settled === undefined;
  if (reach >= REACHES.AUTHORIZED) facts.push(authorized(stays ? command : undefined));
  if (reach >= REACHES.CAPTURED) {
    facts.push(capturedOf(captured, settles ? undefined : command.settlesAt));
    if (settles) {
      const fee = formatMinor(feeOf(captured, initiated.feeBps ?? 0));
      facts.push({ type: 'PaymentSettled', fee, providerFee: formatMinor(command.providerFee ?? 0n) });
    }
  }
  const { context } = unit.payment(command.paymentId, stamped(command, facts));

  // A refund takes its share at once, whatever comes of it later.
  if (command.original !== undefined) {
    const amount = formatMinor(captured);
    unit.payment(command.original, [{ type: 'RefundReserved', refund: command.paymentId, amount }]);
  }
  if (stays && context.payer !== undefined) {
    unit.walletFact(context.payer, holdPlaced(unit.wallet(context.payer), command.paymentId, command.amount));
  }
  if (reach >= REACHES.CAPTURED) {
    post(unit, context, 'CAPTURED', rules.captured);
    if (settles && rules.settled !== undefined) post(unit, context, 'SETTLED', rules.settled);
  }
  return unit.decided();
}

function initiatedBy(command: Pay, { currency, payer, payee, rules, original }: Terms): PaymentInitiated {
  // What comes back, comes from where it went.
  const provider = command.provider ?? (rules.provider ? original?.context.provider : undefined);
  return {
    type: 'PaymentInitiated',
    kind: command.kind,
    amount: formatMinor(command.amount),
    currency,
    ...(payer === undefined ? undefined : { payer: payer.context.accountId }),
    ...(payee === undefined ? undefined : { payee: payee.context.accountId }),
    ...(provider === undefined ? undefined : { provider }),
    ...(command.beneficiary === undefined ? undefined : { beneficiary: command.beneficiary }),
    ...(command.rail === undefined ? undefined : { rail: command.rail }),
    ...(command.original === undefined ? undefined : { original: command.original }),
    ...(rules.fee ? { feeBps: payee?.context.feeBps ?? 0 } : undefined),
  };
}

/** @param hold its amount and end, when it stays after the unit */
export function authorized(
  hold: { readonly amount: bigint; readonly expiresAt: string } | undefined,
): PaymentAuthorized {
  if (hold === undefined) return { type: 'PaymentAuthorized', held: '0' };
  return { type: 'PaymentAuthorized', held: formatMinor(hold.amount), expiresAt: hold.expiresAt };
}

/** @param settlesAt when settlement is due, unless it happens in the same unit */
export function capturedOf(amount: bigint, settlesAt: string | undefined): PaymentCaptured {
  const fact = { type: 'PaymentCaptured', amount: formatMinor(amount) } as const;
  return settlesAt === undefined ? fact : { ...fact, settlesAt };
}
