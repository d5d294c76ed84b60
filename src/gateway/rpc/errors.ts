import { Code, ConnectError } from '@connectrpc/connect';
import type { Refusal } from '../../kernel/refusal.ts';
import type { PaymentView } from '../../machines/payment/view.ts';
import { UnitFailedError } from '../../actors/runtime.ts';
import { UnknownEventVersionError } from '../../machines/fact-codec.ts';
import { troubleCauseOf } from '../../platform/postgres/store-trouble.ts';
import type { PayoutView } from '../../machines/payout/view.ts';
import { PaymentSchema } from './gen/kora/v1/payment_pb.js';
import { PayoutSchema } from './gen/kora/v1/payout_pb.js';
import { RefusalSchema } from './gen/kora/v1/refusal_pb.js';
import { statusOf, wireRefusal } from './wire-refusal.ts';
import { wirePayment, wirePayout } from './wire-views.ts';

/** What a caller can do who does not know what became of a command. */
export const outcomeUnknown = 'the outcome is unknown, ask again with the same idempotency key';

/** What records a refusal, where it is recorded. */
interface Recorded {
  readonly payment?: PaymentView;
  readonly payout?: PayoutView;
}

/** A refusal as the error of a single call, with the payment or the payout that records it. */
export function refusalError(refusal: Refusal, { payment, payout }: Recorded = {}): ConnectError {
  const details = [
    { desc: RefusalSchema, value: wireRefusal(refusal) },
    ...(payment === undefined ? [] : [{ desc: PaymentSchema, value: wirePayment(payment, 'without failure') }]),
    ...(payout === undefined ? [] : [{ desc: PayoutSchema, value: wirePayout(payout, 'without failure') }]),
  ];
  return new ConnectError(refusal.message, statusOf(refusal), undefined, details);
}

/**
 * What a caller is told of a fault: that the outcome is unknown, and nothing of what is inside. The log's own failure is
 * `unavailable`, because asking again may help; everything else is `internal`.
 */
export function faultOf(error: unknown): { readonly code: Code; readonly name: string; readonly message: string } {
  if (error instanceof UnitFailedError || troubleCauseOf(error) !== undefined)
    return { code: Code.Unavailable, name: 'unavailable', message: `the log could not take it: ${outcomeUnknown}` };
  // An event of a newer release: another process, of that release, can answer.
  if (error instanceof UnknownEventVersionError)
    return {
      code: Code.Unavailable,
      name: 'unavailable',
      message: `this process is too old for it: ${outcomeUnknown}`,
    };
  return { code: Code.Internal, name: 'internal', message: `something broke here: ${outcomeUnknown}` };
}

/** A fault as the error of a single call. */
export function faultError(error: unknown): ConnectError {
  const { code, message } = faultOf(error);
  return new ConnectError(message, code, undefined, undefined, error);
}
