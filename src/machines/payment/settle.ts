import { formatMinor } from '../../kernel/money.ts';
import type { Settle } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { refused, Unit } from '../unit.ts';
import { refuseIllegal, refuseLive } from './allowed.ts';
import { stamped } from './applied.ts';
import type { PaymentSnapshot } from './payment.machine.ts';
import { post } from './post.ts';
import { feeOf, POSTINGS } from './postings.ts';
import { refuseProviderFee } from './terms.ts';

/** The money has arrived where it belongs: the fees are known now. Nobody can refuse it any more. */
export function decideSettle(command: Settle, payment: PaymentSnapshot, world: World): Decision {
  const { context } = payment;
  const rules = POSTINGS[context.kind];
  const refusal =
    refuseIllegal(payment, command.type, 'PaymentSettled') ??
    refuseLive(payment) ??
    refuseProviderFee(rules, context.captured, command.providerFee);
  if (refusal !== undefined) return refused(refusal);

  const unit = new Unit(world);
  const fee = formatMinor(feeOf(context.captured, context.feeBps));
  const providerFee = formatMinor(command.providerFee ?? 0n);
  const after = unit.payment(command.paymentId, stamped(command, [{ type: 'PaymentSettled', fee, providerFee }]));
  post(unit, after.context, 'SETTLED', rules.settled ?? []);
  return unit.decided();
}
