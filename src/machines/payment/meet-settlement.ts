import type { MeetSettlement } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { illegalTransition, invalid } from '../refusals.ts';
import { refused, Unit } from '../unit.ts';
import { commandsAllowed } from './allowed.ts';
import { stamped } from './applied.ts';
import { hasCome } from '../../kernel/time.ts';
import type { PaymentSnapshot } from './payment.machine.ts';
import { POSTINGS } from './postings.ts';
import { decideSettle } from './settle.ts';

/**
 * The day of settlement has come. What is between our own accounts settles; what is with a provider only a proof settles,
 * and that there is none yet is written down, for people to ask for it.
 */
export function decideMeetSettlement(
  command: MeetSettlement,
  at: string,
  payment: PaymentSnapshot,
  world: World,
): Decision {
  const { settlesAt, kind } = payment.context;
  if (payment.value !== 'CAPTURED' || settlesAt === undefined) {
    const why = 'no settlement is due';
    return refused(illegalTransition(payment.value, command.type, commandsAllowed(payment), why));
  }
  if (!hasCome(settlesAt, at)) return refused(invalid('settlesAt', `settlement is due at ${settlesAt}`));
  if (!POSTINGS[kind].provider) return decideSettle({ ...command, type: 'Settle' }, payment, world);
  const unit = new Unit(world);
  unit.payment(command.paymentId, stamped(command, [{ type: 'SettlementOverdue', settlesAt }]));
  return unit.decided();
}
