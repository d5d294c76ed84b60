import type pg from 'pg';
import type { Caller, PaymentRequest, PayoutRequest } from '../actors/requests.ts';
import type { Outcome, Runtime } from '../actors/runtime.ts';
import type { Page, PageOf } from '../kernel/page.ts';
import type { Ledger } from '../ledger/index.ts';
import type { PaymentView } from '../machines/payment/view.ts';
import { timelineOf, type TimelineStep } from '../projections/ledger-queries.ts';
import { ownedAccounts } from './owned-accounts.ts';
import { paymentsPage, type PaymentFilter } from './payments-page.ts';
import { type PayoutDetails, payoutDetails } from './payout-details.ts';
import { type PayoutFilter, type PayoutItem, payoutsPage } from './payouts-page.ts';

/**
 * The face of Payments: what was asked for and how far it came. It moves no figure itself: the machines say which entries
 * a step needs, and the Ledger's accounts take them in the same unit. Nothing but this file is for other modules and the
 * doors; who may ask for what is theirs to know (`src/gateway/access.ts`).
 */
export interface Payments {
  /** Carries out a command on a payment or a payout. The answer, a refusal included, is durable. Throws as `Runtime.execute` does. */
  carryOut(request: PaymentRequest | PayoutRequest, caller: Caller): Promise<Outcome>;
  /** Whether it was carried out already, as far as is known here: then doing it again comes to the same answer. */
  isApplied(request: PaymentRequest | PayoutRequest, caller: Caller): Promise<boolean>;
  /** A payment as it is durably now. Undefined: there is none. */
  payment(id: string): Promise<PaymentView | undefined>;
  /**
   * Payments, the newest first, narrowed to all that the filter says. From a projection: what happened a moment ago may
   * be missing.
   *
   * @throws PageError
   */
  list(filter: PaymentListFilter, page: Page): Promise<PageOf<PaymentView>>;
  /** What happened to a payment, and who asked for it, from the log. Empty when there is none. */
  timeline(id: string): Promise<readonly TimelineRow[]>;
  /** A payout as it is durably now, with each of its slices, and exactly which part of its money is where. */
  payout(id: string): Promise<PayoutDetails | undefined>;
  /**
   * Payouts, the newest first, without their slices. From a projection, as `list`.
   *
   * @throws PageError
   */
  payouts(filter: PayoutFilter, page: Page): Promise<PageOf<PayoutItem>>;
}

export interface PaymentListFilter extends Omit<PaymentFilter, 'accounts'> {
  /** Payer or payee. */
  readonly account?: string;
  /** `user:<id>`: a wallet of theirs is payer or payee. With `account`: that account, if it is theirs. */
  readonly owner?: string;
}

export type TimelineRow = TimelineStep;
export type { PayoutDetails, SliceView } from './payout-details.ts';
export type { PayoutFilter, PayoutItem } from './payouts-page.ts';
export type { PayoutMoney, WholeStatus } from './payout-status.ts';

/** What Payments stands on. */
export interface PaymentsParts {
  readonly runtime: Pick<Runtime, 'execute' | 'isApplied' | 'payment' | 'payout' | 'paymentState'>;
  /** Which accounts somebody owns is the Ledger's to say. */
  readonly ledger: Pick<Ledger, 'accountsOf'>;
  /** Connections of the module's own database role. */
  readonly pool: pg.Pool;
}

export function createPayments({ runtime, ledger, pool }: PaymentsParts): Payments {
  return {
    carryOut: (request, caller) => runtime.execute(request, caller),
    isApplied: (request, caller) => runtime.isApplied(request, caller),
    payment: (id) => runtime.payment(id),
    list: async ({ account, owner, ...filter }, page) => {
      let accounts = account === undefined ? undefined : [account];
      if (owner !== undefined) {
        const owned = await ownedAccounts(ledger, owner);
        accounts = accounts === undefined ? owned : accounts.filter((id) => owned.includes(id));
      }
      // The cursor belongs to what was asked, not to the accounts that it came to: they may become more meanwhile.
      const list = { list: 'payments', account, owner, ...filter };
      return paymentsPage({ runtime, pool }, list, { ...filter, ...(accounts !== undefined && { accounts }) }, page);
    },
    timeline: (id) => timelineOf(pool, id),
    payout: (id) => payoutDetails(runtime, id),
    payouts: (filter, page) => payoutsPage(pool, filter, page),
  };
}
