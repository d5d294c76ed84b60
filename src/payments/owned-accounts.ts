import { PAGE_LIMIT_MAX } from '../kernel/page.ts';
import type { Ledger } from '../ledger/index.ts';

/** All accounts of an owner, by the Ledger's face. */
export async function ownedAccounts(ledger: Pick<Ledger, 'accountsOf'>, owner: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = { limit: PAGE_LIMIT_MAX, ...(cursor !== undefined && { cursor }) };
    const { items, next } = await ledger.accountsOf({ owner }, page);
    for (const { id } of items) ids.push(id);
    cursor = next;
  } while (cursor !== undefined);
  return ids;
}
