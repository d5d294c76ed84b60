import type { IdentityRefusal } from '../../identity/index.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import type { CaseRefusal } from '../../reconciliation/index.ts';
import type { WebhookRefusal } from '../../webhooks/index.ts';
import { problemKinds, type ProblemCode, problemTypeOf } from './problem-map.ts';

/** A "no" as a value: what becomes an answer of `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly problem: ProblemCode;
  /** What it is about this time, for people. */
  readonly detail: string;
  /** The figures that explain it: further members of the answer. */
  readonly figures?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A problem that is met where nothing can be returned (a hook, a parser). The error handler turns it into the answer. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }
}

export function problem(code: ProblemCode, detail: string, more: Pick<Problem, 'figures' | 'headers'> = {}): Problem {
  return { problem: code, detail, ...more };
}

/** A refusal of the core or of a module as a problem: its figures as they are, and when to come again where that helps. */
export function problemOf(refusal: Refusal | IdentityRefusal | WebhookRefusal | CaseRefusal): Problem {
  const { code, message, ...figures } = refusal;
  const { retryAfterMs } = figures as { retryAfterMs?: number };
  if (retryAfterMs === undefined && problemKinds[code].status !== 503)
    return { problem: code, detail: message, figures };
  const seconds = Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1000));
  return { problem: code, detail: message, figures, headers: { 'retry-after': String(seconds) } };
}

export const forbidden = problem('Forbidden', 'this token is not for this call');

export const unknownCurrency = problem('Invalid', 'currency: a currency of ISO 4217 is wanted', {
  figures: { field: 'currency' },
});

/** Said where cases are asked for of a process that has none: whoever asks must not take it for "nothing is open". */
export function reconciledElsewhere(url: string | undefined): Problem {
  return url === undefined
    ? problem('ReconciledElsewhere', 'nothing is reconciled in this process, and it does not know where cases are')
    : problem('ReconciledElsewhere', `nothing is reconciled in this process: cases are at ${url}`, {
        figures: { url },
      });
}

/** One sentence for whatever is not there and whatever is not the caller's: nobody can tell the two apart. */
export function notThere(what: (Refusal & { code: 'NotFound' })['what'], id: string): Problem {
  return problemOf({ code: 'NotFound', what, id, message: `there is no ${what} ${id}` });
}

export function statusOf({ problem: code }: Problem): number {
  return problemKinds[code].status;
}

/** The document that is sent. Its own members win over figures of the same name. */
export function problemDocument(
  { problem: code, detail, figures }: Problem,
  correlationId: string,
): Readonly<Record<string, unknown>> {
  const { status, title } = problemKinds[code];
  return { ...figures, type: problemTypeOf(code), title, status, detail, code, correlationId };
}
