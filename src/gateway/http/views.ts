import type { Static } from 'typebox';
import type { AccountRow, EntryRow } from '../../ledger/index.ts';
import type { WalletView } from '../../machines/account/view.ts';
import type { account, entryPage } from './schemas/account.ts';

type Account = Static<typeof account>;
type Entry = Static<typeof entryPage>['items'][number];

export function accountOfView(view: WalletView): Account {
  return { ...view };
}

/** The same of a row of the projection, whose system accounts have fewer fields. */
export function accountOfRow(row: AccountRow): Account {
  return {
    accountId: row.id,
    type: row.class,
    currency: row.currency,
    posted: row.posted.toString(),
    version: row.version,
    ...(row.status !== undefined && { status: row.status as NonNullable<Account['status']> }),
    ...(row.held !== undefined && { held: row.held.toString() }),
    ...(row.available !== undefined && { available: row.available.toString() }),
    ...(row.limit !== undefined && { limit: row.limit.toString() }),
    ...(row.feeBps !== undefined && { feeBps: row.feeBps }),
    ...(row.owner !== undefined && { owner: row.owner }),
  };
}

export function entryOf({ account: accountId, payment: paymentId, amount, ...rest }: EntryRow): Entry {
  return { accountId, paymentId, amount: amount.toString(), ...rest };
}
