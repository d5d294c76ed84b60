import { invariant } from '../../kernel/invariant.ts';
import type { CaseKind, CaseState, RecordedFact, Resolution } from './case.facts.ts';
import type { CaseSnapshot, Proposal, Unfinished } from './case.machine.ts';

/** A case as its table keeps it. Amounts are minor units, as text; instants ISO 8601. */
export interface CaseRecord {
  readonly caseId: string;
  readonly version: number;
  readonly state: CaseState;
  readonly kind: CaseKind;
  readonly profile: string;
  readonly amount: string;
  readonly direction: 'in' | 'out';
  readonly currency: string;
  readonly lineIds: readonly string[];
  readonly paymentIds: readonly string[];
  readonly reason?: string;
  readonly openedAt: string;
  readonly dueAt: string;
  readonly assignee?: string;
  /** What of the amount has left suspense by its resolutions. */
  readonly moved: string;
  readonly proposal?: Proposal;
  /** Begun, and its outcome is not known yet. */
  readonly working?: Proposal;
  /** Booked in part, then refused by the core: its rest is to be resolved first. */
  readonly unfinished?: Unfinished;
  readonly endedAt?: string;
  /** What ended it: a kind of resolution, or what happened by itself. */
  readonly cause?: string;
}

/** A case as lists show it, at the instant when it is looked at. */
export interface CaseView extends CaseRecord {
  /** It should have been dealt with by now, and has not ended. */
  readonly overdue: boolean;
}

export function seenAt(record: CaseRecord, now: Date): CaseView {
  return { ...record, overdue: record.endedAt === undefined && Date.parse(record.dueAt) < now.getTime() };
}

/** What happened to a case: who, when, what, why. */
export interface CaseStep {
  readonly at: string;
  readonly by: string;
  readonly what: RecordedFact['type'];
  readonly why?: string;
  readonly assignee?: string;
  readonly number?: number;
  readonly resolution?: Resolution;
  /** Payments that it booked. */
  readonly paymentIds?: readonly string[];
  readonly code?: string;
  /** The provider's word, where it was asked. */
  readonly said?: string;
  readonly cause?: string;
  /** Absent where it was deleted. */
  readonly text?: string;
}

export interface CaseHistory extends CaseView {
  readonly history: readonly CaseStep[];
}

export function recordOf(caseId: string, { value, context }: CaseSnapshot): CaseRecord {
  const { opened, assignee, proposal, working, unfinished, endedAt, cause } = context;
  invariant(opened && value !== 'NEW', `case ${caseId} was never opened`);
  return {
    caseId,
    version: context.version,
    state: value,
    kind: opened.kind,
    profile: opened.profile,
    amount: opened.amount,
    direction: opened.direction,
    currency: opened.currency,
    lineIds: opened.lineIds,
    paymentIds: opened.expectationIds,
    ...(opened.reason !== undefined && { reason: opened.reason }),
    openedAt: opened.at,
    dueAt: opened.dueAt,
    ...(assignee !== undefined && { assignee }),
    moved: context.moved.toString(),
    ...(proposal && { proposal }),
    ...(working && { working }),
    ...(unfinished && { unfinished }),
    ...(endedAt !== undefined && { endedAt }),
    ...(cause !== undefined && { cause }),
  };
}

/** @param texts of comments, by id: those whose digest is still right */
export function stepOf(fact: RecordedFact, texts: ReadonlyMap<string, string>): CaseStep {
  const { type: what, at, by } = fact;
  const step = { at, by, what };
  switch (fact.type) {
    case 'CaseOpened':
      return { ...step, ...(fact.reason !== undefined && { code: fact.reason }) };
    case 'CaseAssigned':
      return { ...step, assignee: fact.assignee, ...(fact.why !== undefined && { why: fact.why }) };
    case 'CaseCommented': {
      const text = texts.get(fact.commentId);
      return { ...step, ...(text !== undefined && { text }) };
    }
    case 'CaseEscalated':
      return { ...step, why: fact.why };
    case 'ResolutionProposed':
    case 'ResolutionBegun':
      return { ...step, number: fact.number, resolution: fact.resolution, why: fact.why };
    case 'ResolutionRejected':
      return { ...step, number: fact.number, why: fact.why };
    case 'ResolutionDone':
      return {
        ...step,
        number: fact.number,
        paymentIds: fact.paymentIds,
        ...(fact.said !== undefined && { said: fact.said }),
      };
    case 'ResolutionRefused':
      return {
        ...step,
        ...{ number: fact.number, code: fact.code, why: fact.message },
        ...(fact.booked && { paymentIds: fact.booked }),
      };
    case 'CaseEnded':
      return { ...step, cause: fact.cause };
  }
}
