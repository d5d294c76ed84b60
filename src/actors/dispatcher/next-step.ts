import type { PaymentSnapshot } from '../../machines/payment/payment.machine.ts';
import { POSTINGS } from '../../machines/payment/postings.ts';
import { isLive, type Instruction, type Transfer } from '../../machines/payment/transfer.ts';
import type { ConnectorTerms } from './ports.ts';

/** What is to be done about a payment and its provider now. */
export type Step =
  /** Nothing, ever again: its outcome is final, or people have to say it. */
  | { readonly do: 'nothing' }
  /** Nobody has it: choose a connector and tell it. */
  | { readonly do: 'tell'; readonly refusedBy: ReadonlySet<string> }
  /** Somebody else may be sending it at this moment. */
  | { readonly do: 'wait'; readonly until: number }
  /** Its sender is not heard of any more: nobody knows whether it was sent. */
  | { readonly do: 'doubt'; readonly about: Instruction }
  /** Ask the provider what became of it. `rarely`: only its settlement is waited for, or people have it in hand. */
  | { readonly do: 'ask'; readonly about: Instruction; readonly reference: string; readonly rarely: boolean }
  /** Asking is not possible: people must say. */
  | { readonly do: 'give to people'; readonly about: Instruction; readonly reason: string };

const nothing: Step = { do: 'nothing' };

/**
 * The rules of docs/in-doubt.md, as a pure question: what the payment's own history says, and the time.
 *
 * @param terms of the connector that was told last; undefined: it is configured no more
 */
export function nextStep(
  payment: PaymentSnapshot,
  nowMs: number,
  terms: (connectorId: string) => ConnectorTerms | undefined,
): Step {
  const { value, context } = payment;
  const { transfer, kind } = context;
  if (POSTINGS[kind].capturedWhen === undefined) return nothing;
  if (value === 'AUTHORIZED' && !isLive(transfer)) return toTell(transfer);
  if (transfer?.instructions === undefined || (value !== 'AUTHORIZED' && value !== 'CAPTURED')) return nothing;
  const about = transfer.instructions;
  const known = terms(about.connector);
  if (about.state === 'on its way') {
    const until = Date.parse(about.sendBefore) + overdueMs(known);
    if (nowMs < until) return { do: 'wait', until };
    // Sent again and not heard of: the doubt is there already, and is asked for as before.
    if (transfer.status === 'pending') return { do: 'doubt', about };
  }
  const { providerRef } = about;
  const toPeople = (reason: string): Step =>
    transfer.status === 'in_doubt' && !transfer.unresolved ? { do: 'give to people', about, reason } : nothing;
  if (known === undefined) return toPeople(`there is no connector ${about.connector} any more`);
  if (providerRef === undefined && !known.findsByKey) return toPeople('the provider cannot be asked by our key');
  const reference = providerRef ?? `key:${context.paymentId}`;
  return { do: 'ask', about, reference, rarely: transfer.status === 'settled' || transfer.unresolved };
}

/** After its `sendBefore` a request may be at work for so long, and the clocks may differ by so much. */
function overdueMs(terms: ConnectorTerms | undefined): number {
  return terms === undefined ? 60_000 : terms.requestTimeoutMs + terms.clockSkewMs;
}

function toTell(transfer: Transfer | undefined): Step {
  const refusedBy = new Set<string>();
  for (let at = transfer?.instructions; at !== undefined; at = at.before)
    if (at.state === 'refused' || at.state === 'paid late') refusedBy.add(at.connector);
  return { do: 'tell', refusedBy };
}

/** From when on "not found" means that it never arrived: nothing of it can be on its way any more. */
export function notFoundIsFinalAt(about: Pick<Instruction, 'sendBefore'>, terms: ConnectorTerms): number {
  return Date.parse(about.sendBefore) + overdueMs(terms) + terms.notFoundFinalAfterMs;
}

/** From when on what is not found may be sent again; undefined: never. */
export function resendAtOf(sendBefore: Date, terms: ConnectorTerms): Date | undefined {
  if (!terms.honoursKeys || !terms.findsByKey) return undefined;
  return new Date(notFoundIsFinalAt({ sendBefore: sendBefore.toISOString() }, terms));
}
