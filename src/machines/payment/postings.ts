import type { WalletType } from '../account/account.facts.ts';
import type { PaymentKind, ReconciliationKind } from './payment.facts.ts';

/**
 * THE postings table: which kind of payment moves what, between whom, at which step. Everything that posts an entry
 * reads it here; `docs/postings.md` and the tests are made from it. A new kind of payment is a new row.
 *
 * `payer` and `payee` are wallets; the other sides are system accounts. N is the amount captured, f our fee, c the
 * provider's fee. Every column of a row must sum to zero for every N, f and c: a test proves it.
 */
export type WalletSide = 'payer' | 'payee';
export type SystemSide = 'receivable' | 'payable' | 'clearing' | 'float' | 'cost' | 'fees' | 'income' | 'suspense';
export type Side = WalletSide | SystemSide;
export type Figure = 'N' | 'f' | 'c' | 'N−c' | 'N+c' | 'N−f';

export interface Posting {
  /** Dr is negative, Cr positive, on every account: Kora's entries are credit-normal (docs/postings.md says why). */
  readonly direction: 'Dr' | 'Cr';
  readonly side: Side;
  readonly figure: Figure;
}

export interface PostingsOfKind {
  /** Types of wallet that may be debited; absent: the money comes from outside. */
  readonly payer?: readonly WalletType[];
  /** Types of wallet that may be credited; absent: the money goes outside. */
  readonly payee?: readonly WalletType[];
  /** The payment goes through a named provider. */
  readonly provider: boolean;
  /** Payer, payee and currency are those of another payment, which this one gives back. */
  readonly refundOf?: PaymentKind;
  /** AUTHORIZED holds the amount on the payer. */
  readonly holds: boolean;
  readonly captured: readonly Posting[];
  /** Absent: SETTLED happens in the unit of the capture, and posts nothing more. */
  readonly settled?: readonly Posting[];
  /** From CAPTURED, the money goes back. Absent: never CAPTURED without SETTLED, so there is nothing to reverse. */
  readonly reversed?: readonly Posting[];
  /** f is kept from the payee at settlement, in basis points of what was captured. */
  readonly fee: boolean;
  /**
   * The payment can be told to a connector, and is captured when the provider has taken it on (`sent`), or has done it
   * (`settled`). Absent: no connector has to do with it.
   */
  readonly capturedWhen?: 'sent' | 'settled';
  /** The provider carried out what had FAILED, was REVERSED, or went elsewhere: its money waits in suspense. */
  readonly late?: readonly Posting[];
  /** Is made by its payout, never by itself. */
  readonly slice?: true;
  /** c is known at settlement: how the provider takes it. Absent: no provider takes a fee. */
  readonly providerFee?: 'kept back' | 'on top';
}

const Dr = (side: Side, figure: Figure = 'N'): Posting => ({ direction: 'Dr', side, figure });
const Cr = (side: Side, figure: Figure = 'N'): Posting => ({ direction: 'Cr', side, figure });
const ANYONE: readonly WalletType[] = ['customer', 'merchant'];
const ANY_WALLET: readonly WalletType[] = [...ANYONE, 'treasury'];

export const POSTINGS: Readonly<Record<PaymentKind, PostingsOfKind>> = {
  P2P: {
    payer: ANYONE,
    payee: ANYONE,
    provider: false,
    holds: true,
    captured: [Dr('payer'), Cr('payee')],
    fee: false,
  },
  CASH_IN: {
    payee: ANYONE,
    provider: true,
    holds: false,
    captured: [Dr('receivable'), Cr('payee')],
    settled: [Dr('float', 'N−c'), Dr('cost', 'c'), Cr('receivable')],
    reversed: [Dr('payee'), Cr('receivable')],
    fee: false,
    capturedWhen: 'settled',
    late: [Dr('receivable'), Cr('suspense')],
    providerFee: 'kept back',
  },
  CASH_OUT: {
    payer: ANYONE,
    provider: true,
    holds: true,
    captured: [Dr('payer'), Cr('payable')],
    settled: [Dr('payable'), Dr('cost', 'c'), Cr('float', 'N+c')],
    reversed: [Dr('payable'), Cr('payer')],
    fee: false,
    capturedWhen: 'sent',
    late: [Dr('suspense'), Dr('cost', 'c'), Cr('float', 'N+c')],
    providerFee: 'on top',
  },
  PAYOUT: {
    payer: ['treasury'],
    provider: true,
    holds: true,
    captured: [Dr('payer'), Cr('payable')],
    settled: [Dr('payable'), Dr('cost', 'c'), Cr('float', 'N+c')],
    reversed: [Dr('payable'), Cr('payer')],
    fee: false,
    capturedWhen: 'sent',
    late: [Dr('suspense'), Dr('cost', 'c'), Cr('float', 'N+c')],
    slice: true,
    providerFee: 'on top',
  },
  PAYOUT_RETURN: {
    payee: ['treasury'],
    provider: true,
    refundOf: 'PAYOUT',
    holds: false,
    captured: [Dr('float'), Cr('payee')],
    fee: false,
  },
  MERCHANT: {
    payer: ['customer'],
    payee: ['merchant'],
    provider: false,
    holds: true,
    captured: [Dr('payer'), Cr('clearing')],
    settled: [Dr('clearing'), Cr('payee', 'N−f'), Cr('fees', 'f')],
    reversed: [Dr('clearing'), Cr('payer')],
    fee: true,
  },
  REFUND: {
    payer: ['merchant'],
    payee: ['customer'],
    provider: false,
    refundOf: 'MERCHANT',
    holds: true,
    captured: [Dr('payer'), Cr('payee')],
    fee: false,
  },
  FUNDING: {
    payee: ['treasury'],
    provider: true,
    holds: false,
    captured: [Dr('float'), Cr('payee')],
    fee: false,
  },
  // Lines of statements that are nobody's payment.
  STATEMENT_FEE: { provider: true, holds: false, captured: [Dr('cost'), Cr('float')], fee: false },
  STATEMENT_INTEREST: { provider: true, holds: false, captured: [Dr('float'), Cr('income')], fee: false },
  UNIDENTIFIED_CREDIT: { provider: true, holds: false, captured: [Dr('float'), Cr('suspense')], fee: false },
  UNIDENTIFIED_DEBIT: { provider: true, holds: false, captured: [Dr('suspense'), Cr('float')], fee: false },
  // The money of a collection that came after it had ended: its success was posted to suspense.
  LATE_COLLECTION: {
    provider: true,
    holds: false,
    captured: [Dr('float', 'N−c'), Dr('cost', 'c'), Cr('receivable')],
    fee: false,
    providerFee: 'kept back',
  },
  // What people decide about money in suspense.
  CORRECTION_CREDIT: {
    payee: ANY_WALLET,
    provider: false,
    holds: false,
    captured: [Dr('suspense'), Cr('payee')],
    fee: false,
  },
  CORRECTION_DEBIT: {
    payer: ANY_WALLET,
    provider: false,
    holds: true,
    captured: [Dr('payer'), Cr('suspense')],
    fee: false,
  },
  WRITE_OFF_LOSS: { provider: true, holds: false, captured: [Dr('cost'), Cr('suspense')], fee: false },
  WRITE_OFF_GAIN: { provider: false, holds: false, captured: [Dr('suspense'), Cr('income')], fee: false },
};

/** Kinds that reconciliation alone makes. */
export const RECONCILIATION_KINDS: readonly ReconciliationKind[] = [
  'STATEMENT_FEE',
  'STATEMENT_INTEREST',
  'UNIDENTIFIED_CREDIT',
  'UNIDENTIFIED_DEBIT',
  'LATE_COLLECTION',
  'CORRECTION_CREDIT',
  'CORRECTION_DEBIT',
  'WRITE_OFF_LOSS',
  'WRITE_OFF_GAIN',
];

/** Whether reconciliation alone makes it. */
export function isReconciliationKind(kind: PaymentKind): kind is ReconciliationKind {
  return (RECONCILIATION_KINDS as readonly PaymentKind[]).includes(kind);
}

/** Kinds that some other kind gives back. */
export const REFUNDED_KINDS: ReadonlySet<PaymentKind> = new Set(
  Object.values(POSTINGS).flatMap(({ refundOf }) => (refundOf === undefined ? [] : [refundOf])),
);

/** What a later word of the provider on its fee posts: N is the difference, and the other way round where it is less. */
export const FEE_CORRECTION: readonly Posting[] = [Dr('cost'), Cr('float')];

/** N, f and c of one payment, in minor units. */
export interface Amounts {
  readonly captured: bigint;
  readonly fee: bigint;
  readonly providerFee: bigint;
}

/** The value of a figure. */
export function amountOf(figure: Figure, { captured, fee, providerFee }: Amounts): bigint {
  switch (figure) {
    case 'N':
      return captured;
    case 'f':
      return fee;
    case 'c':
      return providerFee;
    case 'N−c':
      return captured - providerFee;
    case 'N+c':
      return captured + providerFee;
    case 'N−f':
      return captured - fee;
  }
}

/**
 * f = ⌊N · bps / 10000⌋. Rounded down: a fraction of a minor unit is never charged, so no merchant ever pays more than
 * the rate agreed, and N − f is never negative. The error is below one minor unit a payment and always in the
 * merchant's favour, so splitting a payment cannot raise the fee either.
 */
export function feeOf(captured: bigint, feeBps: number): bigint {
  return (captured * BigInt(feeBps)) / 10_000n;
}

/** The id of a system account: `float:<provider>:<currency>`, `clearing:<currency>` … */
export function systemAccountId(side: SystemSide, currency: string, provider: string | undefined): string {
  return PER_PROVIDER.has(side) ? `${side}:${provider ?? ''}:${currency}` : `${side}:${currency}`;
}

/** These are kept apart per provider, because each is reconciled with what that provider reports. */
export const PER_PROVIDER: ReadonlySet<Side> = new Set<Side>(['float', 'receivable', 'payable', 'cost']);
