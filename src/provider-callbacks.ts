import { outcomeOfStatus } from './actors/dispatcher/outcomes.ts';
import type { BankPaymentStatus, StatusSink } from './connectors/index.ts';
import type { InstructionOutcome } from './machines/commands.ts';

/** What a provider's callback says of an instruction; undefined: nothing that could be written down. */
export function callbackOutcome(providerRef: string, status: BankPaymentStatus): InstructionOutcome | undefined {
  if (status.status === 'not_found') return undefined;
  return outcomeOfStatus(
    'providerRef' in status ? { ...status, providerRef: status.providerRef ?? providerRef } : status,
  );
}

export interface StatusGround {
  /** A report says whose bank it is of, and not which of its connectors carried the payment. */
  readonly connectorsOf: (profile: string) => readonly string[];
  /** The payments that a payout is cut into; undefined: there is no such payout. */
  readonly slicesOf: (payoutId: string) => Promise<readonly string[] | undefined>;
  /** False: that connector was never given that payment. */
  readonly told: (paymentId: string, connectorId: string, outcome: InstructionOutcome) => Promise<boolean>;
}

/** Takes what a bank's report says to the payments that it names, or to all slices of the payouts that it names. */
export function statusSink({ connectorsOf, slicesOf, told }: StatusGround): StatusSink {
  const tell = async (profile: string, paymentId: string, status: BankPaymentStatus): Promise<boolean> => {
    const outcome = callbackOutcome('', status);
    if (outcome === undefined) return true;
    for (const connectorId of connectorsOf(profile)) {
      if (await told(paymentId, connectorId, outcome)) return true;
    }
    return false;
  };
  return async (profile, { references, status, exceptFor }) => {
    for (const reference of references.filter((one) => PAYMENT_ID.test(one))) {
      if (exceptFor === undefined) {
        if (await tell(profile, reference, status)) return true;
        continue;
      }
      const named = (await slicesOf(reference)) ?? [reference];
      const left = named.filter((one) => !exceptFor.has(one));
      let known = left.length === 0;
      // The bank gave no reference of its own to any of them: each goes by ours, as it does where one is listed without.
      for (const one of left) known = (await tell(profile, one, calledBy(status, one))) || known;
      if (known) return true;
    }
    return false;
  };
}

function calledBy(status: BankPaymentStatus, providerRef: string): BankPaymentStatus {
  return 'providerRef' in status ? { ...status, providerRef } : status;
}

/** What a bank is told as a payment's key. Others' references are none of ours. */
const PAYMENT_ID = /^[A-Za-z0-9_-]{27}$/;
