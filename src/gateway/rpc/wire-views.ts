import type { WalletView } from '../../machines/account/view.ts';
import type { PaymentView } from '../../machines/payment/view.ts';
import type { PayoutView } from '../../machines/payout/view.ts';
import type { PayoutDetails, SliceView } from '../../payments/index.ts';
import {
  wireAccountStatus,
  wireKind,
  wirePayoutState,
  wirePayoutStatus,
  wireReversal,
  wireSliceStatus,
  wireStatus,
  wireWalletType,
} from './enums.ts';
import type { ReversalReason } from '../../machines/payment/payment.facts.ts';
import type { Account } from './gen/kora/v1/account_pb.js';
import { type Payment, ReversalReason as WireReversal } from './gen/kora/v1/payment_pb.js';
import { type Payout, type PayoutSlice, PayoutStatus, SliceStatus } from './gen/kora/v1/payout_pb.js';
import { wireRefusal } from './wire-refusal.ts';

/**
 * Views as messages of the wire. Messages of protobuf-es are plain objects: writing them out by hand costs a third of
 * `create`, and a batch makes ten thousand of them.
 */
type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

/** @param failure whether the refusal is told in the payment; not where the payment comes beside that refusal */
export function wirePayment(view: PaymentView, failure: 'with failure' | 'without failure'): Payment {
  const payment: Writable<Payment> = {
    $typeName: 'kora.v1.Payment',
    paymentId: view.paymentId,
    kind: wireKind[view.kind],
    status: wireStatus[view.status],
    amount: view.amount,
    currency: view.currency,
    authorized: view.authorized,
    captured: view.captured,
    refunded: view.refunded,
    fee: view.fee,
    providerFee: view.providerFee,
    reversed: view.reversed === undefined ? WireReversal.UNSPECIFIED : wireReversal[view.reversed as ReversalReason],
    version: BigInt(view.version),
  };
  if (view.payer !== undefined) payment.payer = view.payer;
  if (view.payee !== undefined) payment.payee = view.payee;
  if (view.provider !== undefined) payment.provider = view.provider;
  if (view.original !== undefined) payment.original = view.original;
  if (view.payout !== undefined) payment.payout = view.payout;
  if (view.beneficiary !== undefined) payment.beneficiary = view.beneficiary;
  if (view.rail !== undefined) payment.rail = view.rail;
  if (view.expiresAt !== undefined) payment.expiresAt = view.expiresAt;
  if (view.settlesAt !== undefined) payment.settlesAt = view.settlesAt;
  if (view.failure !== undefined && failure === 'with failure') payment.failure = wireRefusal(view.failure);
  return payment;
}

export function wireAccount(view: WalletView): Account {
  const account: Writable<Account> = {
    $typeName: 'kora.v1.Account',
    accountId: view.accountId,
    type: wireWalletType[view.type],
    currency: view.currency,
    status: wireAccountStatus[view.status],
    posted: view.posted,
    held: view.held,
    available: view.available,
    limit: view.limit,
    version: BigInt(view.version),
  };
  if (view.feeBps !== undefined) account.feeBps = view.feeBps;
  if (view.owner !== undefined) account.owner = view.owner;
  return account;
}

/** @param failure as of a payment */
export function wirePayout(view: PayoutView | PayoutDetails, failure: 'with failure' | 'without failure'): Payout {
  const details = 'money' in view ? view : undefined;
  const payout: Writable<Payout> = {
    $typeName: 'kora.v1.Payout',
    payoutId: view.payoutId,
    state: wirePayoutState[view.state],
    version: BigInt(view.version),
    amount: view.amount,
    currency: view.currency,
    payer: view.payer,
    provider: view.provider,
    beneficiary: view.beneficiary,
    slices: view.slices.map(wireSlice),
    status: details === undefined ? PayoutStatus.UNSPECIFIED : wirePayoutStatus[details.status],
  };
  if (details !== undefined) payout.money = { $typeName: 'kora.v1.PayoutMoney', ...details.money };
  if (view.rail !== undefined) payout.rail = view.rail;
  if (view.cancelled !== undefined) payout.cancelled = view.cancelled;
  if (view.failure !== undefined && failure === 'with failure') payout.failure = wireRefusal(view.failure);
  return payout;
}

function wireSlice(view: PayoutView['slices'][number] | SliceView): PayoutSlice {
  const details = 'status' in view ? view : undefined;
  const slice: Writable<PayoutSlice> = {
    $typeName: 'kora.v1.PayoutSlice',
    paymentId: view.paymentId,
    amount: view.amount,
    status: details === undefined ? SliceStatus.UNSPECIFIED : wireSliceStatus[details.status],
    attempts: details?.attempts ?? 0,
    providerFee: details?.providerFee ?? '',
    returned: details?.returned ?? '',
    unresolved: details?.unresolved ?? false,
    paidLate: details?.paidLate ?? false,
  };
  if (details?.connector !== undefined) slice.connector = details.connector;
  if (details?.providerRef !== undefined) slice.providerRef = details.providerRef;
  if (details?.failure !== undefined) slice.failure = wireRefusal(details.failure);
  if (details?.reversed !== undefined) slice.reversed = details.reversed;
  return slice;
}
