/**
 * The model's own copy of the table "Money" of the design, as people wrote it. It must not be made from the product's
 * table: a mistake there has to show here. Every line: side, sign, and the figure of N (captured), f (our fee), c (the
 * provider's fee).
 */
export type Kind =
  | 'P2P'
  | 'CASH_IN'
  | 'CASH_OUT'
  | 'MERCHANT'
  | 'REFUND'
  | 'FUNDING'
  | 'PAYOUT'
  | 'PAYOUT_RETURN'
  | 'STATEMENT_FEE'
  | 'STATEMENT_INTEREST'
  | 'UNIDENTIFIED_CREDIT'
  | 'UNIDENTIFIED_DEBIT'
  | 'LATE_COLLECTION'
  | 'CORRECTION_CREDIT'
  | 'CORRECTION_DEBIT'
  | 'WRITE_OFF_LOSS'
  | 'WRITE_OFF_GAIN';

export interface Figures {
  readonly N: bigint;
  readonly f: bigint;
  readonly c: bigint;
}
type Line = readonly [side: string, amount: (figures: Figures) => bigint];

export interface Row {
  readonly debits: 'payer' | undefined;
  readonly credits: 'payee' | undefined;
  readonly provider: boolean;
  readonly holds: boolean;
  readonly captured: readonly Line[];
  /** Undefined: settled in the unit of the capture. */
  readonly settled: readonly Line[] | undefined;
  readonly reversed: readonly Line[];
  /** Captured when its provider has taken it on, or has done it. Undefined: connectors have nothing to do with it. */
  readonly captureAt?: 'sent' | 'done';
  /** Carried out after it had ended. */
  readonly late?: readonly Line[];
  readonly gives?: 'MERCHANT' | 'PAYOUT';
}

const N = ({ N: n }: Figures): bigint => n;
const minusN = ({ N: n }: Figures): bigint => -n;

export const table: Readonly<Record<Kind, Row>> = {
  P2P: {
    debits: 'payer',
    credits: 'payee',
    provider: false,
    holds: true,
    captured: [
      ['payer', minusN],
      ['payee', N],
    ],
    settled: undefined,
    reversed: [],
  },
  CASH_IN: {
    debits: undefined,
    credits: 'payee',
    provider: true,
    holds: false,
    captured: [
      ['receivable', minusN],
      ['payee', N],
    ],
    settled: [
      ['float', ({ N: n, c }) => c - n],
      ['cost', ({ c }) => -c],
      ['receivable', N],
    ],
    reversed: [
      ['payee', minusN],
      ['receivable', N],
    ],
    captureAt: 'done',
    late: [
      ['receivable', minusN],
      ['suspense', N],
    ],
  },
  CASH_OUT: {
    debits: 'payer',
    credits: undefined,
    provider: true,
    holds: true,
    captured: [
      ['payer', minusN],
      ['payable', N],
    ],
    settled: [
      ['payable', minusN],
      ['cost', ({ c }) => -c],
      ['float', ({ N: n, c }) => n + c],
    ],
    reversed: [
      ['payable', minusN],
      ['payer', N],
    ],
    captureAt: 'sent',
    late: [
      ['suspense', minusN],
      ['cost', ({ c }) => -c],
      ['float', ({ N: n, c }) => n + c],
    ],
  },
  PAYOUT: {
    debits: 'payer',
    credits: undefined,
    provider: true,
    holds: true,
    captured: [
      ['payer', minusN],
      ['payable', N],
    ],
    settled: [
      ['payable', minusN],
      ['cost', ({ c }) => -c],
      ['float', ({ N: n, c }) => n + c],
    ],
    reversed: [
      ['payable', minusN],
      ['payer', N],
    ],
    captureAt: 'sent',
    late: [
      ['suspense', minusN],
      ['cost', ({ c }) => -c],
      ['float', ({ N: n, c }) => n + c],
    ],
  },
  PAYOUT_RETURN: {
    debits: undefined,
    credits: 'payee',
    provider: true,
    holds: false,
    captured: [
      ['float', minusN],
      ['payee', N],
    ],
    settled: undefined,
    reversed: [],
    gives: 'PAYOUT',
  },
  MERCHANT: {
    debits: 'payer',
    credits: 'payee',
    provider: false,
    holds: true,
    captured: [
      ['payer', minusN],
      ['clearing', N],
    ],
    settled: [
      ['clearing', minusN],
      ['payee', ({ N: n, f }) => n - f],
      ['fees', ({ f }) => f],
    ],
    reversed: [
      ['clearing', minusN],
      ['payer', N],
    ],
  },
  REFUND: {
    debits: 'payer',
    credits: 'payee',
    provider: false,
    holds: true,
    captured: [
      ['payer', minusN],
      ['payee', N],
    ],
    settled: undefined,
    reversed: [],
    gives: 'MERCHANT',
  },
  FUNDING: {
    debits: undefined,
    credits: 'payee',
    provider: true,
    holds: false,
    captured: [
      ['float', minusN],
      ['payee', N],
    ],
    settled: undefined,
    reversed: [],
  },
  STATEMENT_FEE: fromTo('cost', 'float'),
  STATEMENT_INTEREST: fromTo('float', 'income'),
  UNIDENTIFIED_CREDIT: fromTo('float', 'suspense'),
  UNIDENTIFIED_DEBIT: fromTo('suspense', 'float'),
  LATE_COLLECTION: {
    ...fromTo('float', 'receivable'),
    captured: [
      ['float', ({ N: n, c }) => c - n],
      ['cost', ({ c }) => -c],
      ['receivable', N],
    ],
  },
  CORRECTION_CREDIT: { ...fromTo('suspense', 'payee'), credits: 'payee', provider: false },
  CORRECTION_DEBIT: { ...fromTo('payer', 'suspense'), debits: 'payer', holds: true, provider: false },
  WRITE_OFF_LOSS: fromTo('cost', 'suspense'),
  WRITE_OFF_GAIN: { ...fromTo('suspense', 'income'), provider: false },
};

/** What reconciliation books: all at once, debit and credit of N. */
function fromTo(debit: string, credit: string): Row {
  return {
    debits: undefined,
    credits: undefined,
    provider: true,
    holds: false,
    captured: [
      [debit, minusN],
      [credit, N],
    ],
    settled: undefined,
    reversed: [],
  };
}

/** What a later word on the fee posts: N is the difference. */
export const feeCorrection: readonly Line[] = [
  ['cost', minusN],
  ['float', N],
];

/** Accounts of the system that are kept apart by provider. */
const byProvider = ['float', 'receivable', 'payable', 'cost'];

export function systemAccount(side: string, currency: string, provider: string | undefined): string {
  return byProvider.includes(side) ? `${side}:${provider ?? ''}:${currency}` : `${side}:${currency}`;
}
