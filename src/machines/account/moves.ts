import { formatMinor } from '../../kernel/money.ts';
import type {
  AccountStatus,
  EntryStep,
  HoldPlaced,
  HoldReleased,
  PaymentRefused,
  WalletEntryPosted,
  WalletFigures,
} from './account.facts.ts';
import type { WalletSnapshot } from './account.machine.ts';

/** The facts by which payments move a wallet, with the wallet after them. */

interface Changed {
  readonly posted?: bigint;
  readonly held?: bigint;
  readonly limit?: bigint;
  readonly status?: AccountStatus;
}

/** The wallet's figures, after what changed of them. */
export function figuresAfter({ value, context }: WalletSnapshot, changed: Changed): WalletFigures {
  const figures = {
    type: context.type,
    currency: context.currency,
    status: changed.status ?? value,
    posted: formatMinor(changed.posted ?? context.posted),
    held: formatMinor(changed.held ?? context.held),
    limit: formatMinor(changed.limit ?? context.limit),
  };
  const { feeBps, owner } = context;
  if (feeBps === undefined && owner === undefined) return figures;
  return { ...figures, ...(feeBps !== undefined && { feeBps }), ...(owner !== undefined && { owner }) };
}

export interface EntryTerms {
  readonly paymentId: string;
  readonly step: EntryStep;
  /** Signed: credit +. */
  readonly amount: bigint;
  /** The payment's hold, which this entry consumes; 0n when it has none. */
  readonly released: bigint;
  readonly forced: boolean;
}

export function entryPosted(wallet: WalletSnapshot, terms: EntryTerms): WalletEntryPosted {
  const { posted, held, currency } = wallet.context;
  return {
    type: 'EntryPosted',
    paymentId: terms.paymentId,
    step: terms.step,
    amount: formatMinor(terms.amount),
    currency,
    ...(terms.released === 0n ? undefined : { released: formatMinor(terms.released) }),
    ...(terms.forced ? { forced: true } : undefined),
    after: figuresAfter(wallet, { posted: posted + terms.amount, held: held - terms.released }),
  };
}

export function holdPlaced(wallet: WalletSnapshot, paymentId: string, amount: bigint): HoldPlaced {
  const after = figuresAfter(wallet, { held: wallet.context.held + amount });
  return { type: 'HoldPlaced', paymentId, amount: formatMinor(amount), after };
}

export function holdReleased(wallet: WalletSnapshot, paymentId: string, amount: bigint, step: EntryStep): HoldReleased {
  const after = figuresAfter(wallet, { held: wallet.context.held - amount });
  return { type: 'HoldReleased', paymentId, amount: formatMinor(amount), step, after };
}

export function paymentRefused(wallet: WalletSnapshot, paymentId: string, reason: string): PaymentRefused {
  return { type: 'PaymentRefused', paymentId, reason, after: figuresAfter(wallet, {}) };
}
