import type { Effect } from '../matching/index.ts';

/**
 * What is written of a case, on `case/<id>` of reconciliation's own log. Who and when are in the unit's meta, why is in the
 * fact: the facts are the audit. Amounts are minor units, as text. What people write in comments is not here: it may have to
 * be forgotten, and a log forgets nothing.
 */
export const caseKinds = ['mismatch', 'missing_internal', 'missing_provider', 'displaced', 'refused'] as const;
export type CaseKind = (typeof caseKinds)[number];

export const caseStates = ['OPEN', 'ASSIGNED', 'ESCALATED', 'RESOLVED', 'WRITTEN_OFF'] as const;
export type CaseState = (typeof caseStates)[number];

export const correctingKinds = ['CORRECTION_CREDIT', 'CORRECTION_DEBIT', 'LATE_COLLECTION'] as const;
export const writeOffKinds = ['WRITE_OFF_LOSS', 'WRITE_OFF_GAIN'] as const;

/** What a person decides about a case. */
export type Resolution =
  /** Lines and expectations that belong together, or that no rule may bring together. */
  | {
      readonly kind: 'link' | 'separate';
      readonly lineIds: readonly string[];
      readonly expectationIds: readonly string[];
    }
  /** A correcting entry through suspense. `account`: the wallet; LATE_COLLECTION has none. */
  | {
      readonly kind: 'correct';
      readonly entry: (typeof correctingKinds)[number];
      readonly amount: string;
      readonly account?: string;
    }
  | { readonly kind: 'write_off'; readonly entry: (typeof writeOffKinds)[number]; readonly amount: string }
  /** The provider is asked again what became of the payment. It does not end the case. */
  | { readonly kind: 'ask'; readonly paymentId: string }
  /** It was dealt with elsewhere: the payment was reversed, the bank has corrected itself. Moves nothing. */
  | { readonly kind: 'dismiss' };

export interface CaseOpened {
  readonly type: 'CaseOpened';
  readonly kind: CaseKind;
  readonly effectId: string;
  readonly effectKind: Effect['kind'];
  readonly profile: string;
  readonly lineIds: readonly string[];
  readonly expectationIds: readonly string[];
  /** Of its lines together, without sign; where there is none, of its expectations. */
  readonly amount: string;
  /** Whether that money came to us, or left us. */
  readonly direction: 'in' | 'out';
  readonly currency: string;
  /** Code of why it stands alone, or of why the core refused. */
  readonly reason?: string;
  /** ISO 8601. */
  readonly dueAt: string;
}

export type CaseFact =
  | CaseOpened
  | { readonly type: 'CaseAssigned'; readonly assignee: string; readonly why?: string }
  /** The text is kept beside the log; the digest tells whether it is still what was written. */
  | { readonly type: 'CaseCommented'; readonly commentId: string; readonly digest: string }
  | { readonly type: 'CaseEscalated'; readonly why: string }
  /** It waits for another person. Numbers count the resolutions of a case, from 1. */
  | {
      readonly type: 'ResolutionProposed';
      readonly number: number;
      readonly resolution: Resolution;
      readonly why: string;
    }
  | { readonly type: 'ResolutionRejected'; readonly number: number; readonly why: string }
  /** The intent, before anything is done. `approves`: it was proposed by another person. */
  | {
      readonly type: 'ResolutionBegun';
      readonly number: number;
      readonly resolution: Resolution;
      readonly why: string;
      readonly approves?: true;
    }
  | {
      readonly type: 'ResolutionDone';
      readonly number: number;
      readonly paymentIds: readonly string[];
      /** The provider's word, where it was asked. */
      readonly said?: string;
    }
  | {
      readonly type: 'ResolutionRefused';
      readonly number: number;
      readonly code: string;
      readonly message: string;
      /** What was booked before it was refused, where that was not nothing: the rest of it is still to be done. */
      readonly booked?: readonly string[];
    }
  /** The trouble went away by itself. */
  | {
      readonly type: 'CaseEnded';
      readonly cause: 'matched' | 'reopened' | 'superseded';
      readonly effectId: string;
    };

/** A fact with what its unit said. */
export type RecordedFact = CaseFact & { readonly by: string; readonly at: string };
