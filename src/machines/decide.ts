import { decideAccount } from './account/decide-account.ts';
import type { Command, PaymentCommand } from './commands.ts';
import { decideConnector } from './connector/decide-connector.ts';
import type { Decision, World } from './decision.ts';
import { answerToRepeated } from './payment/applied.ts';
import { decideAuthorize } from './payment/authorize.ts';
import { decideCapture } from './payment/capture.ts';
import { decideFail } from './payment/fail.ts';
import { decideInstruct } from './payment/instruct.ts';
import { decideMeetSettlement } from './payment/meet-settlement.ts';
import { decidePay } from './payment/pay.ts';
import { decideOutcome } from './payment/record-outcome.ts';
import { decideReverse } from './payment/reverse.ts';
import { answerToUsedKey, withKey } from './payment/key.ts';
import type { PaymentSnapshot } from './payment/payment.machine.ts';
import { decideSettle } from './payment/settle.ts';
import { decidePayout } from './payout/decide-payout.ts';
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
    case 'Instruct':
    case 'RecordOutcome':
    case 'MeetSettlement':
      return decidePayment(command, at, world);
    case 'CreatePayout':
    case 'CancelPayout':
      return decidePayout(command, at, world);
    case 'OpenBreaker':
    case 'HalfOpenBreaker':
    case 'CloseBreaker':
    case 'ForceBreaker':
      return decideConnector(command, at, world);
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
    case 'Instruct':
      return decideInstruct(command, at, payment, world);
    case 'RecordOutcome':
      return decideOutcome(command, payment, world);
    case 'MeetSettlement':
      return decideMeetSettlement(command, at, payment, world);
    case 'Pay':
      throw new Error('unreachable: a Pay of an existing payment is always a repetition');
  }
}
