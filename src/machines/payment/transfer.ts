import { hasCome } from '../../kernel/time.ts';
import { sliceAfter, type SliceStatus } from '../payout/slice.machine.ts';
import type { InstructionFact, InstructionIssued } from './payment.facts.ts';

/** What became of one attempt. `superseded`: in doubt, and the same was sent again; its outcome is that of the later one. */
export type InstructionState =
  'on its way' | 'not sent' | 'accepted' | 'in doubt' | 'superseded' | 'confirmed' | 'refused' | 'paid late';

/** One attempt to have a provider do something; the newest first. */
export interface Instruction {
  readonly number: number;
  readonly connector: string;
  readonly provider: string;
  readonly sendBefore: string;
  readonly resendAt: string | undefined;
  readonly state: InstructionState;
  readonly providerRef: string | undefined;
  /** What the provider said last against its own word: said again it is no news. */
  readonly contradicted?: string;
  readonly before: Instruction | undefined;
}

/** How far a payment has come with its provider. */
export interface Transfer {
  readonly status: SliceStatus;
  readonly instructions: Instruction | undefined;
  /** Asking does not help: people must say what became of it. */
  readonly unresolved: boolean;
}

export const untouched: Transfer = { status: 'pending', instructions: undefined, unresolved: false };

/**
 * Whether an instruction's outcome is not final: whatever else would end or move the payment is refused until it is
 * (`InstructionLive`).
 */
export function isLive(transfer: Transfer | undefined): boolean {
  if (transfer === undefined) return false;
  const { status, instructions } = transfer;
  return status === 'sent' || status === 'in_doubt' || (status === 'pending' && instructions?.state === 'on its way');
}

/** The attempt with a number. */
export function instructionOf(transfer: Transfer | undefined, number: number): Instruction | undefined {
  let at = transfer?.instructions;
  while (at !== undefined && at.number !== number) at = at.before;
  return at;
}

/** The newest attempt at a connector: what the provider says of our key, it says of this one. */
export function newestAt(transfer: Transfer | undefined, connector: string): Instruction | undefined {
  let at = transfer?.instructions;
  while (at !== undefined && at.connector !== connector) at = at.before;
  return at;
}

/** Whether a connector has said its final "no" before. */
export function hasRefused(transfer: Transfer | undefined, connector: string): boolean {
  for (let at = transfer?.instructions; at !== undefined; at = at.before) {
    if (at.connector === connector && (at.state === 'refused' || at.state === 'paid late')) return true;
  }
  return false;
}

/**
 * Whether another attempt may be made now. Another connector: only where nothing is on its way, which means that every
 * attempt so far was finally refused, or was never sent. The same again: only what is in doubt, once it cannot be on its
 * way any more, to the connector that has it.
 */
export function mayIssue(transfer: Transfer, { connector }: { readonly connector: string }, at: string): boolean {
  const { status, instructions } = transfer;
  if (status === 'pending') return !isLive(transfer) && !hasRefused(transfer, connector);
  if (status !== 'in_doubt' || instructions?.connector !== connector) return false;
  let sent: Instruction | undefined = instructions;
  while (sent?.state === 'not sent') sent = sent.before;
  return sent?.resendAt !== undefined && hasCome(sent.resendAt, at);
}

/** The transfer after a fact; undefined where none such can follow. */
export function transferAfter(before: Transfer | undefined, fact: InstructionFact): Transfer | undefined {
  const transfer = before ?? untouched;
  const status = sliceAfter(transfer.status, fact);
  if (status === undefined) return undefined;
  if (fact.type === 'InstructionIssued') return issued(transfer, fact, status);
  const { instructions } = transfer;
  // Only of the newest attempt is anything not known yet. (One that was sent again has the outcome of the later one.)
  if (instructions?.number !== fact.instruction || !isLive(transfer)) return undefined;
  const changed = (state: InstructionState, providerRef = instructions.providerRef): Transfer => ({
    ...transfer,
    status,
    instructions: { ...instructions, state, providerRef },
  });
  switch (fact.type) {
    case 'InstructionNotSent':
      if (instructions.state !== 'on its way') return undefined;
      return changed('not sent');
    case 'InstructionAccepted':
      return changed('accepted', fact.providerRef);
    case 'InstructionInDoubt':
      return changed('in doubt');
    case 'InstructionConfirmed':
      return changed('confirmed', fact.providerRef);
    case 'InstructionRefused':
      return changed('refused');
    case 'InstructionUnresolved':
      return transfer.unresolved ? undefined : { ...changed(instructions.state), unresolved: true };
  }
}

function issued(transfer: Transfer, fact: InstructionIssued, status: SliceStatus): Transfer | undefined {
  const { instructions } = transfer;
  if (fact.instruction !== (instructions?.number ?? 0) + 1) return undefined;
  const isAgain = transfer.status === 'in_doubt';
  // What is sent again names the attempt that it follows; a machine has no clock, so `mayIssue` looks at the time.
  if (isAgain ? instructions?.connector !== fact.connector : isLive(transfer) || hasRefused(transfer, fact.connector))
    return undefined;
  const before = isAgain && instructions?.state === 'in doubt' ? superseded(instructions) : instructions;
  return {
    ...transfer,
    status,
    instructions: {
      number: fact.instruction,
      connector: fact.connector,
      provider: fact.provider,
      sendBefore: fact.sendBefore,
      resendAt: fact.resendAt,
      state: 'on its way',
      providerRef: instructions?.connector === fact.connector ? instructions.providerRef : undefined,
      before,
    },
  };
}

const superseded = (instruction: Instruction): Instruction => ({ ...instruction, state: 'superseded' });

/** The transfer of a payment that ended without its provider: nothing is on its way. */
export function endedTransfer(transfer: Transfer): Transfer | undefined {
  // A refusal has ended it already, in the same unit; or the provider did what it was told, and it was given back since.
  if (transfer.status === 'failed' || transfer.status === 'settled') return transfer;
  if (isLive(transfer)) return undefined;
  const status = sliceAfter(transfer.status, { type: 'PaymentEnded' });
  return status === undefined ? undefined : { ...transfer, status };
}

/** From which a success is late: nobody counts on the money any more. */
export const ended: readonly InstructionState[] = ['refused', 'not sent'];
/** Of a payment that was given back, that money comes for it all the same is late too. */
export const endedOrGivenBack: readonly InstructionState[] = [...ended, 'confirmed'];

/** The transfer with one attempt changed. */
function changing(transfer: Transfer, number: number, change: Partial<Instruction>): Transfer {
  const changed = (at: Instruction | undefined): Instruction | undefined => {
    if (at === undefined) return undefined;
    return at.number === number ? { ...at, ...change } : { ...at, before: changed(at.before) };
  };
  return { ...transfer, instructions: changed(transfer.instructions) };
}

/** Marks an attempt of which the provider has said the contrary. */
export function contradicted(transfer: Transfer | undefined, number: number, said: string): Transfer | undefined {
  return transfer && changing(transfer, number, { contradicted: said });
}

/** Marks an attempt that had ended and was carried out all the same; undefined where it had not ended. */
export function paidLate(
  transfer: Transfer | undefined,
  number: number,
  providerRef: string,
  from: readonly InstructionState[],
): Transfer | undefined {
  const found = instructionOf(transfer, number);
  if (transfer === undefined || found === undefined || !from.includes(found.state)) return undefined;
  return changing(transfer, number, { state: 'paid late', providerRef });
}
