import type { PaymentRequest } from '../../../actors/requests.ts';
import type { Outcome } from '../../../actors/runtime.ts';
import { invariant } from '../../../kernel/invariant.ts';
import type { PartyOwners } from '../../access.ts';
import { carriedOut } from '../command.ts';
import type { DoorParts } from '../parts.ts';
import { problemOf } from '../problem.ts';
import type { Answer, Call, Done } from '../route.ts';
import { type Eyes, eyesOf, visiblePayment, visibleRefusal } from '../visible-payment.ts';

/** Carries out a command on a payment, and answers with the payment as its caller may see it. */
export function paid(
  call: Call,
  door: DoorParts,
  request: PaymentRequest,
  owners: PartyOwners,
  done: Done['status'],
): Promise<Answer> {
  const eyes = eyesOf(call.principal, owners);
  return carriedOut(call, door, request, door.payments, (outcome) => answerOf(outcome, eyes, done));
}

function answerOf(outcome: Outcome, eyes: Eyes, status: Done['status']): Answer {
  if (outcome.ok) {
    invariant(outcome.payment, 'a command on a payment is answered with the payment');
    return { status, body: visiblePayment(outcome.payment, eyes) };
  }
  const { refusal, payment } = outcome;
  if (payment === undefined) return problemOf(refusal);
  // It is recorded: the payment is there, and says the same whenever it is looked at.
  const told = problemOf(visibleRefusal(refusal, payment, eyes));
  return { ...told, figures: { ...told.figures, paymentId: payment.paymentId } };
}
