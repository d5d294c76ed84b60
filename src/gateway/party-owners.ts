import type { Ledger } from '../ledger/index.ts';
import type { PaymentView } from '../machines/payment/view.ts';
import type { PartyOwners } from './access.ts';

/** Whose the parties of a payment are, from the accounts as they are durably: no projection lags behind it. */
export async function partyOwners(
  ledger: Pick<Ledger, 'account'>,
  { payer, payee }: Pick<PaymentView, 'payer' | 'payee'>,
): Promise<PartyOwners> {
  const ownerOf = async (id: string | undefined): Promise<string | undefined> =>
    id === undefined ? undefined : (await ledger.account(id))?.owner;
  const [from, to] = await Promise.all([ownerOf(payer), ownerOf(payee)]);
  return { payer: from, payee: to };
}
