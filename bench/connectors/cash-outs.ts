import type { Kora } from '../../src/composition.ts';
import { caller, walletId } from '../core/kora.ts';
import { mustHold } from '../harness/case.ts';
import { currency, type P2p } from '../load/p2p.ts';

export interface AuthorizedPayment {
  readonly paymentId: string;
  readonly askedAt: number;
  /** When its caller was answered that the money is held. */
  readonly at: number;
  readonly provider: string;
}

/** A CASH_OUT up to AUTHORIZED: from there on it is the dispatcher's. */
export async function cashOut({ runtime }: Kora, provider: string, p2p: P2p): Promise<AuthorizedPayment> {
  const { payer, amount, key } = p2p;
  const askedAt = performance.now();
  const outcome = await runtime.execute(
    {
      type: 'Pay',
      kind: 'CASH_OUT',
      amount: BigInt(amount),
      currency,
      payer: walletId(payer),
      provider,
      beneficiary: `beneficiary-${payer}`,
      upTo: 'AUTHORIZED',
      idempotencyKey: key,
    },
    { ...caller, correlationId: key },
  );
  mustHold(outcome.ok && outcome.payment !== undefined, `a payment was not authorized: ${JSON.stringify(outcome)}`);
  return { paymentId: outcome.payment.paymentId, askedAt, at: performance.now(), provider };
}
