import { formatMinor } from '../../kernel/money.ts';
import type { AccountStatus, WalletType } from './account.facts.ts';
import { available, type WalletSnapshot } from './account.machine.ts';

/** A wallet as people and programs see it. Amounts are decimal strings of minor units. */
export interface WalletView {
  readonly accountId: string;
  readonly type: WalletType;
  readonly currency: string;
  readonly status: AccountStatus;
  readonly posted: string;
  readonly held: string;
  /** posted − held + limit. */
  readonly available: string;
  readonly limit: string;
  readonly version: number;
  /** Merchants only: our fee in basis points. */
  readonly feeBps?: number;
  /** Whose it is: `user:<id>`. Absent: nobody's of ours. */
  readonly owner?: string;
}

export function walletView({ value, context }: WalletSnapshot): WalletView {
  const view = {
    accountId: context.accountId,
    type: context.type,
    currency: context.currency,
    status: value,
    posted: formatMinor(context.posted),
    held: formatMinor(context.held),
    available: formatMinor(available(context)),
    limit: formatMinor(context.limit),
    version: context.version,
  };
  const { feeBps, owner } = context;
  return { ...view, ...(feeBps !== undefined && { feeBps }), ...(owner !== undefined && { owner }) };
}
