import { ConnectError } from '@connectrpc/connect';
import { type Payment, PaymentSchema } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { type Refusal, RefusalSchema } from '../../src/gateway/rpc/gen/kora/v1/refusal_pb.js';

/** A call that is expected to fail, as its client sees it. */
export interface Refused {
  readonly error: ConnectError;
  readonly refusal: Refusal | undefined;
  readonly payment: Payment | undefined;
}

export async function refusedBy(call: Promise<unknown>): Promise<Refused> {
  const error = await call.then(
    () => {
      throw new Error('the call was answered');
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectError)) throw error;
  const [refusal] = error.findDetails(RefusalSchema);
  const [payment] = error.findDetails(PaymentSchema);
  return { error, refusal, payment };
}
