import { Draft } from './draft.ts';
import { isLive, type Attempt, type Payment, type View } from './state.ts';
import { table } from './table.ts';

/** A provider's word on what it was told, or what its sender knows. */
export type Word =
  | { readonly said: 'not sent' | 'unknown' | 'unresolvable' }
  | { readonly said: 'accepted'; readonly ref: string }
  | { readonly said: 'confirmed' | 'settled'; readonly ref: string; readonly fee: bigint | undefined }
  | { readonly said: 'refused'; readonly code: string; readonly elsewhere: boolean };

export interface Told {
  readonly type: 'Tell';
  readonly paymentId: string;
  readonly connector: string;
  readonly provider: string;
  readonly sendBefore: string;
  readonly resendAt: string | undefined;
}

export interface Heard {
  readonly type: 'Hear';
  readonly paymentId: string;
  /** Of the attempt; 0: of the newest. */
  readonly instruction: number;
  readonly word: Word;
}

const no = (code: string): { readonly refused: string } => ({ refused: code });
const isPast = (instant: string, at: string): boolean => Date.parse(at) >= Date.parse(instant);

/** What must be in the log before a connector is told something. */
export function tell(asked: Told, id: string, at: string, view: View): Draft | { readonly refused: string } {
  const payment = view.payment(asked.paymentId);
  if (payment === undefined) return no('NotFound');
  const { status, kind, attempts, stage, expiresAt, payer, payout } = payment;
  if (status !== 'AUTHORIZED' || table[kind].captureAt === undefined) return no('IllegalTransition');
  const last = attempts.at(-1);
  if (stage === 'in_doubt') {
    const sent = attempts.findLast(({ known }) => known !== 'not sent');
    if (last?.connector !== asked.connector) return no('InstructionLive');
    if (sent?.resendAt === undefined || !isPast(sent.resendAt, at)) return no('InstructionLive');
  } else {
    if (isLive(payment)) return no('InstructionLive');
    if (stage !== 'pending') return no('IllegalTransition');
    if (attempts.some((one) => one.connector === asked.connector && isRefused(one))) return no('IllegalTransition');
  }
  if (expiresAt !== undefined && isPast(expiresAt, at)) return no('HoldExpired');
  if (isPast(asked.sendBefore, at)) return no('Invalid');
  if (payer !== undefined && view.wallet(payer)?.status === 'FROZEN') return no('AccountFrozen');
  if (payout !== undefined && view.payout(payout)?.status === 'CANCELLED') return no('IllegalTransition');
  const draft = new Draft(id, view);
  draft.take(payment);
  const { connector, provider, sendBefore, resendAt } = asked;
  const number = (last?.number ?? 0) + 1;
  const hasRef = last?.connector === connector && last.hasRef;
  const figures = ` ${connector} ${provider} ${sendBefore} ${resendAt ?? ''}`;
  draft.attempt(
    'InstructionIssued',
    { number, connector, provider, sendBefore, resendAt, known: 'on its way', hasRef },
    stage,
    figures,
  );
  return draft;
}

const isRefused = ({ known }: Attempt): boolean => known === 'refused' || known === 'done late';

/** What must come of a word. `Nothing`: it is known already. */
export function hear(asked: Heard, id: string, view: View): Draft | { readonly refused: string } {
  const payment = view.payment(asked.paymentId);
  if (payment === undefined) return no('NotFound');
  const { attempts } = payment;
  const named = asked.instruction === 0 ? attempts.at(-1) : attempts.find(({ number }) => number === asked.instruction);
  if (named === undefined) return no('Invalid');
  const { word } = asked;
  if ((word.said === 'confirmed' || word.said === 'settled') && payment.kind === 'CASH_IN') {
    if ((word.fee ?? 0n) > payment.amount) return no('Invalid');
  }
  // Our key is one at a connector, whatever attempts there were.
  const about = attempts.findLast(({ connector }) => connector === named.connector) ?? named;
  const draft = new Draft(id, view);
  draft.take(payment);
  const isOpen = isLive(payment) && about === attempts.at(-1);
  // People cannot have seen a "no" to what is on its way.
  if (isOpen && asked.instruction === 0 && word.said === 'refused' && about.known === 'on its way')
    return no('InstructionLive');
  const said = isOpen ? ofOpen(draft, payment, about, word, view) : ofEnded(draft, payment, about, word);
  return said ? draft : no('Nothing');
}

/** Whether it leaves anything. */
function ofOpen(draft: Draft, payment: Payment, about: Attempt, word: Word, view: View): boolean {
  const { status, stage, kind, authorized } = payment;
  const row = table[kind];
  const isFrozen = payment.payer !== undefined && view.wallet(payment.payer)?.status === 'FROZEN';
  const capture = (): void => {
    if (status === 'AUTHORIZED') draft.capture(authorized, row, false, isFrozen);
  };
  switch (word.said) {
    case 'not sent':
      if (about.known !== 'on its way') return false;
      draft.attempt('InstructionNotSent', { ...about, known: 'not sent' }, stage, '');
      return true;
    case 'unknown':
      if (about.known !== 'on its way' && about.known !== 'accepted') return false;
      draft.attempt('InstructionInDoubt', { ...about, known: 'in doubt' }, 'in_doubt', '');
      return true;
    case 'unresolvable':
      if (stage !== 'in_doubt' || payment.unresolved) return false;
      draft.unresolved(about.number);
      return true;
    case 'accepted':
      if (stage === 'sent') return false;
      draft.attempt('InstructionAccepted', { ...about, known: 'accepted', hasRef: true }, 'sent', ` ${word.ref}`);
      if (row.captureAt === 'sent') capture();
      return true;
    case 'confirmed':
    case 'settled':
      draft.attempt('InstructionConfirmed', { ...about, known: 'done' }, 'settled', ` ${word.ref}`);
      capture();
      if (row.captureAt === 'sent' || word.said === 'settled') draft.settle(word.fee ?? 0n, row);
      return true;
    case 'refused': {
      // Only what was never in doubt, and never taken on, may go to somebody else.
      const goesOn = stage === 'pending' && word.elsewhere;
      const figures = ` ${word.code} ${word.elsewhere}`;
      draft.attempt('InstructionRefused', { ...about, known: 'refused' }, goesOn ? 'pending' : 'failed', figures);
      if (goesOn) return true;
      if (status === 'CAPTURED') draft.giveBack(row, 'provider', false);
      else draft.end('FAILED', word.code);
      return true;
    }
  }
}

function ofEnded(draft: Draft, payment: Payment, about: Attempt, word: Word): boolean {
  const { status, kind, providerFee } = payment;
  const row = table[kind];
  switch (word.said) {
    case 'not sent':
    case 'unknown':
    case 'unresolvable':
      return false;
    case 'accepted':
      if (about.known !== 'refused' || about.contradicted === 'accepted') return false;
      draft.contradicted(about, 'accepted');
      return true;
    case 'refused':
      if ((about.known !== 'done' && about.known !== 'done late') || about.contradicted === 'refused') return false;
      draft.contradicted(about, 'refused');
      return true;
    case 'confirmed':
    case 'settled':
      if (
        about.known === 'refused' ||
        about.known === 'not sent' ||
        (about.known === 'done' && status === 'REVERSED' && word.said === 'settled')
      ) {
        draft.late(about, word.ref, word.fee ?? 0n, row);
        return true;
      }
      if (about.known !== 'done') return false;
      if (status === 'CAPTURED' && word.said === 'settled') {
        draft.settle(word.fee ?? 0n, row);
        return true;
      }
      if (status !== 'SETTLED' || word.fee === undefined || word.fee === providerFee) return false;
      draft.correctFee(word.fee);
      return true;
  }
}
