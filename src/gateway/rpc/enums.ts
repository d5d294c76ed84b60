import type { PayUpTo } from '../../machines/commands.ts';
import type { AccountStatus, WalletType } from '../../machines/account/account.facts.ts';
import type { ResolveRequest } from '../../actors/requests.ts';
import type { PaymentKind, PaymentStatus, ReversalReason } from '../../machines/payment/payment.facts.ts';
import type { PayoutStatus } from '../../machines/payout/payout.facts.ts';
import type { SliceStatus } from '../../machines/payout/slice.machine.ts';
import type { WholeStatus } from '../../payments/index.ts';
import { AccountStatus as WireAccountStatus, WalletType as WireWalletType } from './gen/kora/v1/account_pb.js';
import {
  PaymentKind as WireKind,
  PaymentStatus as WireStatus,
  PayUpTo as WireUpTo,
  ResolvedOutcome as WireOutcome,
  ReversalReason as WireReversal,
} from './gen/kora/v1/payment_pb.js';
import {
  PayoutState as WirePayoutState,
  PayoutStatus as WirePayoutStatus,
  SliceStatus as WireSliceStatus,
} from './gen/kora/v1/payout_pb.js';

/** The names of the machines beside the numbers of the wire. A name that is new to the machines breaks the build here. */
export const wireKind: Readonly<Record<PaymentKind, WireKind>> = {
  P2P: WireKind.P2P,
  CASH_IN: WireKind.CASH_IN,
  CASH_OUT: WireKind.CASH_OUT,
  MERCHANT: WireKind.MERCHANT,
  REFUND: WireKind.REFUND,
  FUNDING: WireKind.FUNDING,
  PAYOUT: WireKind.PAYOUT,
  PAYOUT_RETURN: WireKind.PAYOUT_RETURN,
  STATEMENT_FEE: WireKind.STATEMENT_FEE,
  STATEMENT_INTEREST: WireKind.STATEMENT_INTEREST,
  UNIDENTIFIED_CREDIT: WireKind.UNIDENTIFIED_CREDIT,
  UNIDENTIFIED_DEBIT: WireKind.UNIDENTIFIED_DEBIT,
  LATE_COLLECTION: WireKind.LATE_COLLECTION,
  CORRECTION_CREDIT: WireKind.CORRECTION_CREDIT,
  CORRECTION_DEBIT: WireKind.CORRECTION_DEBIT,
  WRITE_OFF_LOSS: WireKind.WRITE_OFF_LOSS,
  WRITE_OFF_GAIN: WireKind.WRITE_OFF_GAIN,
};
export const wireStatus: Readonly<Record<PaymentStatus, WireStatus>> = {
  INITIATED: WireStatus.INITIATED,
  AUTHORIZED: WireStatus.AUTHORIZED,
  CAPTURED: WireStatus.CAPTURED,
  SETTLED: WireStatus.SETTLED,
  FAILED: WireStatus.FAILED,
  REVERSED: WireStatus.REVERSED,
};
const wireUpTo: Readonly<Record<PayUpTo, WireUpTo>> = {
  INITIATED: WireUpTo.INITIATED,
  AUTHORIZED: WireUpTo.AUTHORIZED,
  CAPTURED: WireUpTo.CAPTURED,
  SETTLED: WireUpTo.SETTLED,
};
export const wireReversal: Readonly<Record<ReversalReason, WireReversal>> = {
  requested: WireReversal.REQUESTED,
  expired: WireReversal.EXPIRED,
  provider: WireReversal.PROVIDER,
};
export const wireWalletType: Readonly<Record<WalletType, WireWalletType>> = {
  customer: WireWalletType.CUSTOMER,
  merchant: WireWalletType.MERCHANT,
  treasury: WireWalletType.TREASURY,
};
export const wireAccountStatus: Readonly<Record<AccountStatus, WireAccountStatus>> = {
  OPEN: WireAccountStatus.OPEN,
  FROZEN: WireAccountStatus.FROZEN,
  CLOSED: WireAccountStatus.CLOSED,
};

export const wirePayoutState: Readonly<Record<PayoutStatus, WirePayoutState>> = {
  OPEN: WirePayoutState.OPEN,
  CANCELLED: WirePayoutState.CANCELLED,
  FAILED: WirePayoutState.FAILED,
};
export const wirePayoutStatus: Readonly<Record<WholeStatus, WirePayoutStatus>> = {
  pending: WirePayoutStatus.PENDING,
  processing: WirePayoutStatus.PROCESSING,
  settled: WirePayoutStatus.SETTLED,
  partially_settled: WirePayoutStatus.PARTIALLY_SETTLED,
  failed: WirePayoutStatus.FAILED,
  cancelled: WirePayoutStatus.CANCELLED,
};
export const wireSliceStatus: Readonly<Record<SliceStatus, WireSliceStatus>> = {
  pending: WireSliceStatus.PENDING,
  sent: WireSliceStatus.SENT,
  in_doubt: WireSliceStatus.IN_DOUBT,
  settled: WireSliceStatus.SETTLED,
  failed: WireSliceStatus.FAILED,
};
const wireOutcome: Readonly<Record<ResolveRequest['outcome'], WireOutcome>> = {
  confirmed: WireOutcome.CONFIRMED,
  settled: WireOutcome.SETTLED,
  refused: WireOutcome.REFUSED,
};

export const outcomes = inverse(wireOutcome);
export const kinds = inverse(wireKind);
export const upTos = inverse(wireUpTo);
export const walletTypes = inverse(wireWalletType);
/** Nobody may ask for `expired`: the machine's own deadline says so. */
export const reversals: Readonly<Record<number, Exclude<ReversalReason, 'expired'>>> = {
  [WireReversal.UNSPECIFIED]: 'requested',
  [WireReversal.REQUESTED]: 'requested',
  [WireReversal.PROVIDER]: 'provider',
};

function inverse<Name extends string>(numbers: Readonly<Record<Name, number>>): Readonly<Record<number, Name>> {
  const entries = Object.entries(numbers) as [Name, number][];
  return Object.fromEntries(entries.map(([name, number]) => [number, name]));
}
