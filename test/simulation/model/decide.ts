import type { KoraRequest, PayRequest } from '../../../src/actors/requests.ts';
import { free, isLive, type Payment, type View, type Wallet } from './state.ts';
import { table, type Row } from './table.ts';
import { Draft } from './draft.ts';
import { cancelPayout, createPayout, type SliceBounds } from './payouts.ts';
import { hear, tell, type Heard, type Told } from './providers.ts';

/** What somebody asked for. `expire` and `settle` are what deadlines ask. */
export type Asked =
  | KoraRequest
  | { readonly type: 'Expire'; readonly paymentId: string }
  | { readonly type: 'SettleDue'; readonly paymentId: string }
  | Told
  | Heard;

/** What must come of it: facts by stream, or a "no" that leaves nothing. */
export type Expected = Draft | { readonly refused: string };

const no = (code: string): { readonly refused: string } => ({ refused: code });

/** What one bank transaction may be at a provider; nothing is known of the others. */
export type BoundsOf = (provider: string) => SliceBounds | undefined;

/** What comes of a request, on what is known at one position, at one instant. Plain arithmetic; knows nothing of machines. */
export function expect(asked: Asked, id: string, at: string, view: View, bounds: BoundsOf): Expected {
  switch (asked.type) {
    case 'Pay':
      return pay(asked, id, view);
    case 'OpenAccount': {
      const { accountId = id, walletType, currency, limit = 0n, feeBps = 0 } = asked;
      if (view.wallet(accountId) !== undefined) return no('AccountExists');
      const draft = new Draft(id, view);
      const bps = walletType === 'merchant' ? BigInt(feeBps) : 0n;
      const blank = { type: walletType, currency, status: 'OPEN', posted: 0n, held: 0n, limit, feeBps: bps } as const;
      draft.setWallet({ id: accountId, ...blank, version: 0 }, 'AccountOpened');
      draft.key();
      return draft;
    }
    case 'FreezeAccount':
    case 'UnfreezeAccount':
    case 'CloseAccount':
    case 'SetLimit':
      return onAccount(asked, id, view);
    case 'Authorize':
    case 'Capture':
    case 'Settle':
    case 'Fail':
    case 'Reverse':
    case 'Expire':
    case 'SettleDue':
      return onPayment(asked, id, at, view);
    case 'Tell':
      return tell(asked, id, at, view);
    case 'Hear':
      return hear(asked, id, view);
    case 'Resolve': {
      const { outcome, providerRef: ref = '', providerFee: fee, reason: code = '', paymentId } = asked;
      if (outcome !== 'refused' && ref === '') return no('Invalid');
      const word = outcome === 'refused' ? { said: outcome, code, elsewhere: false } : { said: outcome, ref, fee };
      return hear({ type: 'Hear', paymentId, instruction: 0, word }, id, view);
    }
    case 'CreatePayout':
      return createPayout(asked, id, view, bounds(asked.provider) ?? { min: 1n, max: 10n ** 30n - 1n }, blankPayment);
    case 'CancelPayout':
      return cancelPayout(asked, id, view);
  }
}

type OnAccount = KoraRequest & { type: 'FreezeAccount' | 'UnfreezeAccount' | 'CloseAccount' | 'SetLimit' };

function onAccount(asked: OnAccount, id: string, view: View): Expected {
  const wallet = view.wallet(asked.accountId);
  if (wallet === undefined) return no('NotFound');
  const draft = new Draft(id, view);
  draft.key();
  switch (asked.type) {
    case 'FreezeAccount':
      if (wallet.status !== 'OPEN') return no('IllegalTransition');
      draft.setWallet({ ...wallet, status: 'FROZEN' }, 'AccountFrozen');
      return draft;
    case 'UnfreezeAccount':
      if (wallet.status !== 'FROZEN') return no('IllegalTransition');
      draft.setWallet({ ...wallet, status: 'OPEN' }, 'AccountUnfrozen');
      return draft;
    case 'CloseAccount':
      if (wallet.status === 'CLOSED') return no('IllegalTransition');
      if (wallet.posted !== 0n || wallet.held !== 0n) return no('AccountNotEmpty');
      draft.setWallet({ ...wallet, status: 'CLOSED' }, 'AccountClosed');
      return draft;
    case 'SetLimit':
      if (wallet.status === 'CLOSED') return no('IllegalTransition');
      if (asked.limit < wallet.limit && free(wallet) < wallet.limit - asked.limit) return no('InsufficientFunds');
      draft.setWallet({ ...wallet, limit: asked.limit }, 'AccountLimitSet');
      return draft;
  }
}

const reaches = ['INITIATED', 'AUTHORIZED', 'CAPTURED', 'SETTLED'];

function pay(asked: PayRequest, id: string, view: View): Expected {
  if (asked.kind === 'PAYOUT') return no('Invalid');
  const row = table[asked.kind];
  const original = asked.original === undefined ? undefined : view.payment(asked.original);
  let { payer, payee, currency } = asked as { payer?: string; payee?: string; currency: string };
  const { gives } = row;
  if (gives !== undefined) {
    if (original === undefined) return no('NotFound');
    if (original.kind !== gives || original.status !== 'SETTLED') return no('Invalid');
    if (currency !== original.currency) return no('Invalid');
    [payer, payee, currency] = [original.payee, original.payer, original.currency];
  }
  const wrong = wrongParties(row, asked, payer, payee, currency, view);
  if (wrong !== undefined) return no(wrong);
  const from = payer === undefined ? undefined : view.wallet(payer);
  const to = payee === undefined ? undefined : view.wallet(payee);
  const reach = reaches.indexOf(asked.upTo);
  const draft = new Draft(id, view);
  const feeBps = asked.kind === 'MERCHANT' ? (to?.feeBps ?? 0n) : 0n;
  const provider = asked.provider ?? (row.provider ? original?.provider : undefined);
  const said = { id, kind: asked.kind, amount: asked.amount, currency, payer, payee, feeBps, provider };
  draft.initiate({ ...blankPayment, ...said, original: asked.original });

  const { amount } = asked;
  const [code, whose] =
    original !== undefined && original.captured - original.refunded < amount
      ? ['RefundExceedsCaptured', undefined]
      : (closed(from, to) ?? (reach >= 1 ? undebitable(from, amount) : undefined) ?? []);
  if (code !== undefined) return draft.fail(code, whose);

  const N = asked.captureAmount ?? amount;
  const settles = reach >= 3 || row.settled === undefined;
  if (asked.original !== undefined) draft.reserve(asked.original, N);
  if (reach >= 1) draft.authorize(row.holds && reach === 1);
  if (reach >= 2) {
    draft.capture(N, row, settles);
    if (settles) draft.settle(asked.providerFee ?? 0n, row);
  }
  return draft;
}

const blankPayment = {
  status: 'INITIATED',
  provider: undefined,
  original: undefined,
  held: 0n,
  authorized: 0n,
  captured: 0n,
  fee: 0n,
  providerFee: 0n,
  refunded: 0n,
  reason: undefined,
  expiresAt: undefined,
  settlesAt: undefined,
  payout: undefined,
  attempts: [],
  stage: 'pending',
  unresolved: false,
  version: 0,
} as const;

function wrongParties(
  row: Row,
  asked: PayRequest,
  payer: string | undefined,
  payee: string | undefined,
  currency: string,
  view: View,
): string | undefined {
  if (payer !== undefined && payer === payee) return 'Invalid';
  for (const [side, id] of [
    ['payer', payer],
    ['payee', payee],
  ] as const) {
    if (id === undefined) continue;
    const wallet = view.wallet(id);
    if (wallet === undefined) return 'NotFound';
    if (wallet.currency !== currency || !mayBe(asked, side, wallet.type)) return 'Invalid';
  }
  const c = asked.providerFee ?? 0n;
  if (c > 0n && !row.provider) return 'Invalid';
  const isKeptBack = asked.kind === 'CASH_IN' || asked.kind === 'LATE_COLLECTION';
  return isKeptBack && c > (asked.captureAmount ?? asked.amount) ? 'Invalid' : undefined;
}

function mayBe({ kind }: PayRequest, side: 'payer' | 'payee', type: Wallet['type']): boolean {
  if (kind === 'MERCHANT') return type === (side === 'payer' ? 'customer' : 'merchant');
  if (kind === 'REFUND') return type === (side === 'payer' ? 'merchant' : 'customer');
  if (kind === 'FUNDING' || kind === 'PAYOUT_RETURN') return type === 'treasury';
  if (kind.startsWith('CORRECTION')) return true;
  return type !== 'treasury';
}

function closed(...parties: (Wallet | undefined)[]): [string, string] | undefined {
  const party = parties.find((one) => one?.status === 'CLOSED');
  return party && ['AccountClosed', party.id];
}

function undebitable(wallet: Wallet | undefined, amount: bigint): [string, string] | undefined {
  if (wallet === undefined) return undefined;
  if (wallet.status === 'FROZEN') return ['AccountFrozen', wallet.id];
  return free(wallet) < amount ? ['InsufficientFunds', wallet.id] : undefined;
}

type OnPayment = Asked & {
  type: 'Authorize' | 'Capture' | 'Settle' | 'Fail' | 'Reverse' | 'Expire' | 'SettleDue';
};

/** In which states a step may be taken. */
const from: Readonly<Record<OnPayment['type'], readonly Payment['status'][]>> = {
  Authorize: ['INITIATED'],
  Capture: ['AUTHORIZED'],
  Settle: ['CAPTURED'],
  SettleDue: ['CAPTURED'],
  Fail: ['INITIATED', 'AUTHORIZED'],
  Reverse: ['AUTHORIZED', 'CAPTURED'],
  Expire: ['AUTHORIZED'],
};

function onPayment(asked: OnPayment, id: string, at: string, view: View): Expected {
  const payment = view.payment(asked.paymentId);
  if (payment === undefined) return no('NotFound');
  if (!from[asked.type].includes(payment.status)) return no('IllegalTransition');
  // Whatever a provider is at, nobody else ends or moves.
  if (isLive(payment) && asked.type !== 'SettleDue') return no('InstructionLive');
  const row = table[payment.kind];
  const payer = payment.payer === undefined ? undefined : view.wallet(payment.payer);
  const payee = payment.payee === undefined ? undefined : view.wallet(payment.payee);
  const draft = new Draft(id, view);
  draft.take(payment);
  switch (asked.type) {
    case 'Authorize': {
      const [code, whose] = closed(payer, payee) ?? undebitable(payer, payment.amount) ?? [];
      if (code !== undefined) return draft.fail(code, whose);
      draft.authorize(row.holds);
      return draft;
    }
    case 'Capture': {
      const N = asked.amount ?? payment.authorized;
      if (N <= 0n) return no('Invalid');
      if (N > payment.authorized) return no('CaptureExceedsAuthorized');
      if (payment.expiresAt !== undefined && Date.parse(at) >= Date.parse(payment.expiresAt)) return no('HoldExpired');
      if (payer?.status === 'FROZEN') return no('AccountFrozen');
      if (payer !== undefined && payee?.status === 'CLOSED') return no('AccountClosed');
      const settles = row.settled === undefined;
      draft.capture(N, row, settles);
      if (settles) draft.settle(0n, row);
      if (payment.original !== undefined && N < payment.authorized)
        draft.reserve(payment.original, N - payment.authorized);
      return draft;
    }
    case 'SettleDue':
      if (payment.settlesAt === undefined) return no('IllegalTransition');
      if (Date.parse(at) < Date.parse(payment.settlesAt)) return no('Invalid');
      // Of what is with a provider, only a proof is believed.
      if (row.provider) draft.noted('SettlementOverdue', '');
      else draft.settle(0n, row);
      return draft;
    case 'Settle': {
      const c = asked.providerFee ?? 0n;
      if (c !== 0n && (!row.provider || (payment.kind === 'CASH_IN' && c > payment.captured))) return no('Invalid');
      draft.settle(c, row);
      return draft;
    }
    case 'Fail':
      draft.end('FAILED', asked.reason);
      return draft;
    case 'Expire':
      if (payment.expiresAt === undefined) return no('IllegalTransition');
      if (Date.parse(at) < Date.parse(payment.expiresAt)) return no('Invalid');
      draft.end('REVERSED', 'expired');
      return draft;
    case 'Reverse': {
      if (payment.status === 'AUTHORIZED') {
        draft.end('REVERSED', asked.reason);
        return draft;
      }
      const forced = asked.reason === 'provider';
      if (payment.kind === 'CASH_IN' && !forced) {
        if (payee === undefined || payee.status === 'CLOSED') return no('AccountClosed');
        if (payee.status === 'FROZEN') return no('AccountFrozen');
        if (free(payee) < payment.captured) return no('InsufficientFunds');
      }
      draft.giveBack(row, asked.reason, forced);
      return draft;
    }
  }
}
