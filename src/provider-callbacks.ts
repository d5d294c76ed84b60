import { outcomeOfStatus } from './actors/dispatcher/outcomes.ts';
import type { BankPaymentStatus } from './connectors/index.ts';
import type { InstructionOutcome } from './machines/commands.ts';

/** What a provider's callback says of an instruction; undefined: nothing that could be written down. */
export function callbackOutcome(providerRef: string, status: BankPaymentStatus): InstructionOutcome | undefined {
  if (status.status === 'not_found') return undefined;
  return outcomeOfStatus(
    'providerRef' in status ? { ...status, providerRef: status.providerRef ?? providerRef } : status,
  );
}
