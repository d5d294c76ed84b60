import type { Ledger } from '../ledger/index.ts';
import type { PaymentView } from '../machines/payment/view.ts';
import type { PartyOwners } from './access.ts';

/** Whose the parties of a payment are, from the accounts as they are durably: no projection lags behind it. */
export async function partyOwners(
  ledger: Pick<Ledger, 'account'>,
  { payer, payee }: Pick<PaymentView, 'payer' | 'payee'>,
): Promise<PartyOwners> {
  const [from, to] = await Promise.all([payer, payee].map((id) => (id === undefined ? undefined : ledger.account(id))));
  return { payer: from?.owner, payee: to?.owner };
}
