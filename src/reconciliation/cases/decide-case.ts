import { isDeepStrictEqual } from 'node:util';
import type { Refusal } from '../../kernel/refusal.ts';
import { parseMinor } from '../../kernel/money.ts';
import type { CaseFact, Resolution } from './case.facts.ts';
import { type CaseContext, type CaseSnapshot, enteredBy } from './case.machine.ts';
import type { CaseTerms } from './case-terms.ts';

export type CaseCommand =
  | { readonly type: 'assign'; readonly assignee: string; readonly why?: string }
  | { readonly type: 'comment'; readonly commentId: string; readonly digest: string }
  | { readonly type: 'escalate'; readonly why: string }
  | { readonly type: 'resolve'; readonly resolution: Resolution; readonly why: string }
  /** `proposal`: its number, so that nobody approves what they have not seen. */
  | { readonly type: 'approve' | 'reject'; readonly proposal: number; readonly why: string }
  /** The system's. */
  | { readonly type: 'end'; readonly cause: 'matched' | 'reopened' | 'superseded'; readonly effectId: string };

export type CaseRefusal =
  | Extract<Refusal, { readonly code: 'Invalid' | 'NotFound' | 'IllegalTransition' | 'Contended' | 'Overloaded' }>
  /** Only who has the case resolves it. */
  | { readonly code: 'NotAssignee'; readonly message: string; readonly assignee?: string }
  /** Nobody approves their own proposal. */
  | { readonly code: 'SelfApproval'; readonly message: string }
  /** What was looked at is not what is proposed now. */
  | { readonly code: 'ProposalChanged'; readonly message: string; readonly proposal?: number }
  /** A resolution was begun, and its outcome is not known yet. */
  | { readonly code: 'CaseAtWork'; readonly message: string };
export type CaseRefusalCode = CaseRefusal['code'];

export type Decided =
  { readonly ok: true; readonly fact: CaseFact } | { readonly ok: false; readonly refusal: CaseRefusal };

const commands = ['assign', 'comment', 'escalate', 'resolve', 'approve', 'reject'] as const;
const allowedIn: Readonly<Record<CaseSnapshot['value'], readonly string[]>> = {
  NEW: [],
  OPEN: ['assign', 'comment', 'escalate'],
  ASSIGNED: commands,
  ESCALATED: ['assign', 'comment', 'escalate', 'approve', 'reject'],
  RESOLVED: [],
  WRITTEN_OFF: [],
};

/** What a command on a case comes to: one fact, or a refusal. Pure. */
export function decideCase(
  { value, context }: CaseSnapshot,
  command: CaseCommand,
  by: string,
  terms: CaseTerms,
): Decided {
  if (command.type !== 'end' && !allowedIn[value].includes(command.type)) return illegal(value, command.type);
  if (command.type === 'comment') {
    const { commentId, digest } = command;
    return decided({ type: 'CaseCommented', commentId, digest });
  }
  if (context.working !== undefined)
    return refused({ code: 'CaseAtWork', message: 'a resolution is being carried out: look again in a moment' });
  switch (command.type) {
    case 'assign': {
      const { assignee, why } = command;
      return decided({ type: 'CaseAssigned', assignee, ...(why !== undefined && { why }) });
    }
    case 'escalate':
      return decided({ type: 'CaseEscalated', why: command.why });
    case 'resolve':
      return decideResolve(context, command, by, terms);
    case 'approve':
    case 'reject':
      return decideProposed(context, command, by);
    case 'end':
      if (value === 'NEW' || value === 'RESOLVED' || value === 'WRITTEN_OFF') return illegal(value, 'end');
      // A person has moved some of it: a person ends it.
      if (context.entered > 0n) return illegal(value, 'end');
      return decided({ type: 'CaseEnded', cause: command.cause, effectId: command.effectId });
  }
}

function decideResolve(
  context: CaseContext,
  { resolution, why }: CaseCommand & { type: 'resolve' },
  by: string,
  terms: CaseTerms,
): Decided {
  if (context.assignee !== by)
    return refused({
      code: 'NotAssignee',
      message: 'only who the case is assigned to resolves it: have it assigned to you first',
      ...(context.assignee !== undefined && { assignee: context.assignee }),
    });
  const wrong = wrongIn(context, resolution);
  if (wrong !== undefined) return refused(wrong);
  const step = { number: context.resolutions + 1, resolution, why };
  return needsFourEyes(context, resolution, terms)
    ? decided({ type: 'ResolutionProposed', ...step })
    : decided({ type: 'ResolutionBegun', ...step });
}

function decideProposed(
  { proposal }: CaseContext,
  command: CaseCommand & { type: 'approve' | 'reject' },
  by: string,
): Decided {
  if (proposal?.number !== command.proposal) {
    const message =
      proposal === undefined ? 'nothing is proposed' : 'another resolution is proposed by now: look at it';
    return refused({ code: 'ProposalChanged', message, ...(proposal && { proposal: proposal.number }) });
  }
  const { number, why } = { number: proposal.number, why: command.why };
  // Whoever proposed it may take it back.
  if (command.type === 'reject') return decided({ type: 'ResolutionRejected', number, why });
  if (proposal.by === by)
    return refused({ code: 'SelfApproval', message: 'another person than the one who proposed it has to approve it' });
  return decided({ type: 'ResolutionBegun', number, resolution: proposal.resolution, why, approves: true });
}

/**
 * Whether another person must approve. All entries of a case count together: a large sum in small steps is a large sum. Giving
 * a case up without moving money counts as its whole amount.
 */
export function needsFourEyes(context: CaseContext, resolution: Resolution, { fourEyesAbove }: CaseTerms): boolean {
  const { amount = '0', currency = '' } = context.opened ?? {};
  const limit = fourEyesAbove[currency] ?? 0n;
  switch (resolution.kind) {
    case 'correct':
    case 'write_off':
      return context.entered + enteredBy(context, resolution) > limit;
    case 'dismiss':
      return BigInt(amount) > limit;
    case 'link':
    case 'separate':
    case 'ask':
      return false;
  }
}

/** What money that came in, or left, and waits in suspense can become. */
const outOfCredit: readonly string[] = ['CORRECTION_CREDIT', 'LATE_COLLECTION', 'WRITE_OFF_GAIN'];
const outOfDebit: readonly string[] = ['CORRECTION_DEBIT', 'WRITE_OFF_LOSS'];

/** What cannot be right about a resolution of this case. */
function wrongIn(context: CaseContext, resolution: Resolution): CaseRefusal | undefined {
  const { amount = '0', currency = '', lineIds = [], expectationIds = [] } = context.opened ?? {};
  const { unfinished } = context;
  if (unfinished !== undefined && resolution.kind !== 'ask') {
    const rest = `resolution ${unfinished.number} is booked in part, and ${unfinished.code} stopped it`;
    if (!isDeepStrictEqual(resolution, unfinished.resolution))
      return invalid(
        'kind',
        `${rest}: the same resolution again, with the same amount, books its rest, and comes first`,
      );
    return undefined;
  }
  switch (resolution.kind) {
    case 'link':
    case 'separate': {
      if (resolution.lineIds.length === 0) return invalid('lineIds', 'at least one line is wanted');
      if (resolution.expectationIds.length === 0) return invalid('expectationIds', 'at least one payment is wanted');
      const own =
        resolution.lineIds.some((id) => lineIds.includes(id)) ||
        resolution.expectationIds.some((id) => expectationIds.includes(id));
      return own ? undefined : invalid('lineIds', 'nothing of this case is among them');
    }
    case 'correct':
    case 'write_off': {
      if (lineIds.length === 0)
        return invalid('kind', 'this case has no money in suspense: ask the provider, link it, or reverse the payment');
      const sum = parseMinor(resolution.amount);
      if (typeof sum !== 'bigint' || sum <= 0n) return invalid('amount', 'a positive amount in minor units is wanted');
      const left = BigInt(amount) - context.moved;
      if (sum > left) return invalid('amount', `at most ${left} minor units of ${currency} are left of this case`);
      const wayOut = context.opened?.direction === 'in' ? outOfCredit : outOfDebit;
      if (!wayOut.includes(resolution.entry))
        return invalid(
          'entry',
          `money that ${context.opened?.direction === 'in' ? 'came in' : 'left'} takes ${wayOut.join(', ')}`,
        );
      if (resolution.kind === 'write_off') return undefined;
      if (resolution.entry === 'LATE_COLLECTION')
        return resolution.account === undefined ? undefined : invalid('account', 'a late collection has none');
      return resolution.account === undefined ? invalid('account', 'a wallet is wanted') : undefined;
    }
    case 'ask':
      return expectationIds.length === 0 || expectationIds.includes(resolution.paymentId)
        ? undefined
        : invalid('paymentId', 'this case is not about that payment');
    case 'dismiss':
      return context.moved === 0n
        ? undefined
        : invalid('kind', `some of it was moved: ${BigInt(amount) - context.moved} minor units are left to move`);
  }
}

const decided = (fact: CaseFact): Decided => ({ ok: true, fact });
const refused = (refusal: CaseRefusal): Decided => ({ ok: false, refusal });
const invalid = (field: string, message: string): CaseRefusal => ({
  code: 'Invalid',
  field,
  message: `${field}: ${message}`,
});

function illegal(state: CaseSnapshot['value'], command: string): Decided {
  const message = `a case that is ${state} takes no ${command}`;
  return refused({ code: 'IllegalTransition', message, state, command, allowed: allowedIn[state] });
}
