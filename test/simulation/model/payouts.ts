import type { CancelPayoutRequest, CreatePayoutRequest } from '../../../src/actors/requests.ts';
import { commandIdOf } from '../../../src/kernel/ids.ts';
import { Draft } from './draft.ts';
import { free, isLive, type Payment, type Payout, type View } from './state.ts';

/** What one bank transaction may be. */
export interface SliceBounds {
  readonly min: bigint;
  readonly max: bigint;
}

const no = (code: string): { readonly refused: string } => ({ refused: code });

export function createPayout(
  asked: CreatePayoutRequest,
  id: string,
  view: View,
  bounds: SliceBounds,
  blank: Omit<Payment, 'id' | 'kind' | 'amount' | 'currency' | 'payer' | 'payee' | 'feeBps'>,
): Draft | { readonly refused: string } {
  const { amount, currency, payer, provider } = asked;
  if (amount <= 0n) return no('Invalid');
  const wallet = view.wallet(payer);
  if (wallet === undefined) return no('NotFound');
  if (wallet.currency !== currency || wallet.type !== 'treasury') return no('Invalid');
  const amounts = cut(amount, bounds);
  if (amounts === undefined) return no('Invalid');
  const slices = amounts.map((one, index) => ({
    paymentId: commandIdOf('kora', `payout:${id}`, String(index)),
    amount: one,
  }));
  const draft = new Draft(id, view);
  const ids = slices.map(({ paymentId }) => paymentId);
  const payout: Payout = { id, status: 'OPEN', amount, payer, slices: ids, version: 0 };
  const figures = `${amount} ${currency}: ${slices.map((one) => `${one.paymentId} ${one.amount}`).join(' ')}`;
  draft.key();
  draft.payout(payout, 'PayoutCreated', figures);
  const code =
    wallet.status === 'CLOSED'
      ? 'AccountClosed'
      : wallet.status === 'FROZEN'
        ? 'AccountFrozen'
        : free(wallet) < amount
          ? 'InsufficientFunds'
          : undefined;
  if (code !== undefined) {
    draft.payout({ ...payout, version: 1, status: 'FAILED' }, 'PayoutFailed', code);
    draft.refusedBy(payer, code);
    return draft;
  }
  for (const slice of slices) {
    const made = {
      id: slice.paymentId,
      kind: 'PAYOUT',
      amount: slice.amount,
      currency,
      payer,
      payee: undefined,
    } as const;
    draft.initiate({ ...blank, ...made, feeBps: 0n, provider, payout: id });
    draft.authorize(true);
  }
  return draft;
}

/** As few as possible; each takes as much as it may and leaves the others their least. */
function cut(amount: bigint, { min, max }: SliceBounds): bigint[] | undefined {
  const slices: bigint[] = [];
  const count = amount / max + (amount % max === 0n ? 0n : 1n);
  if (count > 200n || amount < count * min) return undefined;
  let left = amount;
  for (let others = count - 1n; others >= 0n; others -= 1n) {
    const most = left - others * min;
    const one = most < max ? most : max;
    slices.push(one);
    left -= one;
  }
  return slices;
}

export function cancelPayout(asked: CancelPayoutRequest, id: string, view: View): Draft | { readonly refused: string } {
  const payout = view.payout(asked.payoutId);
  if (payout === undefined) return no('NotFound');
  if (payout.status === 'FAILED') return no('IllegalTransition');
  const pending = payout.slices
    .map((one) => view.payment(one))
    .filter((one) => one?.status === 'AUTHORIZED' && !isLive(one)) as Payment[];
  if (pending.length === 0) return no('IllegalTransition');
  const draft = new Draft(id, view);
  draft.key();
  for (const slice of pending) {
    draft.turnTo(slice);
    draft.end('FAILED', 'cancelled');
  }
  draft.payout({ ...payout, status: 'CANCELLED' }, 'PayoutCancelled', pending.map((one) => one.id).join(' '));
  return draft;
}
