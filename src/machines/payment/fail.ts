import type { Fail } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { refuseReason } from '../reason.ts';
import { refused, Unit } from '../unit.ts';
import { refuseIllegal, refuseLive } from './allowed.ts';
import { stamped } from './applied.ts';
import type { PaymentSnapshot } from './payment.machine.ts';
import { release } from './post.ts';

/** The provider, or a person, says that nothing will come of it. */
export function decideFail(command: Fail, payment: PaymentSnapshot, world: World): Decision {
  const refusal =
    refuseIllegal(payment, command.type, 'PaymentFailed') ?? refuseLive(payment) ?? refuseReason(command.reason);
  if (refusal !== undefined) return refused(refusal);

  const unit = new Unit(world);
  unit.payment(
    command.paymentId,
    stamped(command, [{ type: 'PaymentFailed', cause: 'requested', reason: command.reason }]),
  );
  release(unit, payment.context, 'FAILED');
  return unit.decided();
}
