import type { WalletView } from '../../machines/account/view.ts';
import type { PaymentView } from '../../machines/payment/view.ts';
import { wireAccountStatus, wireKind, wireReversal, wireStatus, wireWalletType } from './enums.ts';
import type { ReversalReason } from '../../machines/payment/payment.facts.ts';
import type { Account } from './gen/kora/v1/account_pb.js';
import { type Payment, ReversalReason as WireReversal } from './gen/kora/v1/payment_pb.js';
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
