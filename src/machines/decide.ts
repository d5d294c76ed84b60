import { decideAccount } from './account/decide-account.ts';
import type { Command, PaymentCommand } from './commands.ts';
import type { Decision, World } from './decision.ts';
import { answerToRepeated } from './payment/applied.ts';
import { decideAuthorize } from './payment/authorize.ts';
import { decideCapture } from './payment/capture.ts';
import { decideFail } from './payment/fail.ts';
import { decidePay } from './payment/pay.ts';
import { decideReverse } from './payment/reverse.ts';
import { answerToUsedKey, withKey } from './payment/key.ts';
import type { PaymentSnapshot } from './payment/payment.machine.ts';
import { decideSettle } from './payment/settle.ts';
import { notFound } from './refusals.ts';
import { refused } from './unit.ts';

/**
 * Decides a command on a world: which facts it leaves on which streams, or why not. Pure: the same command on the same
 * world at the same instant gives the same decision.
 *
 * @param at the instant of the decision, ISO 8601 in UTC
 * @param world every participant that `participants` named, loaded
 */
export function decide(command: Command, at: string, world: World): Decision {
  switch (command.type) {
    case 'Pay':
    case 'Authorize':
    case 'Capture':
    case 'Settle':
    case 'Fail':
    case 'Reverse':
      return decidePayment(command, at, world);
    case 'OpenAccount':
    case 'FreezeAccount':
    case 'UnfreezeAccount':
    case 'CloseAccount':
    case 'SetLimit':
      return decideAccount(command, world);
  }
}

function decidePayment(command: PaymentCommand, at: string, world: World): Decision {
  const payment = world.payment(command.paymentId);
  if (payment === undefined) {
    if (command.type !== 'Pay') return refused(notFound('payment', command.paymentId));
    return answerToUsedKey(command, world) ?? decidePay(command, at, world);
  }
  const repeated = answerToRepeated(command, payment);
  if (repeated !== undefined) return repeated;
  const used = answerToUsedKey(command, world);
  if (used !== undefined) return used;
  return withKey(decideStep(command, at, payment, world), command);
}

function decideStep(command: PaymentCommand, at: string, payment: PaymentSnapshot, world: World): Decision {
  switch (command.type) {
    case 'Authorize':
      return decideAuthorize(command, at, payment, world);
    case 'Capture':
      return decideCapture(command, at, payment, world);
    case 'Settle':
      return decideSettle(command, payment, world);
    case 'Fail':
      return decideFail(command, payment, world);
    case 'Reverse':
      return decideReverse(command, at, payment, world);
    case 'Pay':
      throw new Error('unreachable: a Pay of an existing payment is always a repetition');
  }
}
