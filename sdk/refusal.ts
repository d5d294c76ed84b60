import type { ProblemCode } from './generated/problem-codes.ts';

/** What the door says when it does not know itself what became of a command: not a "no", and never returned as one. */
const undecided = [
  'Internal',
  'OutcomeUnknown',
  'StillRunning',
  'Unavailable',
] as const satisfies readonly ProblemCode[];

/** Everything that can be refused (docs/errors.md). What was refused was not done. */
export type RefusalCode = Exclude<ProblemCode, (typeof undecided)[number]>;

/** The figures that explain a refusal, by its code. Amounts are texts of minor units. */
interface Figures {
  readonly Invalid: { readonly field?: string };
  readonly NotFound: {
    readonly what?: 'payment' | 'account' | 'payout' | 'connector' | 'feed' | 'case';
    readonly id?: string;
  };
  readonly InsufficientFunds: { readonly accountId: string; readonly available: string; readonly asked: string };
  readonly AccountFrozen: { readonly accountId: string };
  readonly AccountClosed: { readonly accountId: string };
  readonly AccountExists: { readonly accountId: string };
  readonly AccountNotEmpty: {
    readonly accountId: string;
    readonly posted: string;
    readonly held: string;
    readonly openPayments: number;
  };
  readonly IllegalTransition: { readonly state: string; readonly command: string; readonly allowed: readonly string[] };
  /** Which connector is at it is told to staff and services. */
  readonly InstructionLive: { readonly connector?: string };
  readonly HoldExpired: { readonly expiresAt: string };
  readonly CaptureExceedsAuthorized: { readonly authorized: string; readonly asked: string };
  readonly RefundExceedsCaptured: { readonly refundable: string; readonly asked: string };
  /** The provider's reason, or a person's. */
  readonly PaymentFailed: { readonly reason: string };
  readonly IdempotencyConflict: { readonly commandId: string };
  /** `expired` and `ended`: log in again. The client has tried to renew the token before it says so. */
  readonly Unauthenticated: { readonly reason: 'missing' | 'expired' | 'invalid' | 'wrong-device' | 'ended' };
  readonly InvalidIdentity: { readonly field: string };
  readonly PasswordRefused: { readonly reason: 'short' | 'long' | 'breached' | 'guessable' };
  readonly TooManyAttempts: { readonly retryAfterMs: number };
  readonly TimestampOutsideWindow: { readonly windowMs: number };
}

/** A problem of RFC 9457, as every refusal is one. */
export interface Problem<Code> {
  readonly code: Code;
  /** What it is about this time, for people. */
  readonly detail: string;
  /** The same for every refusal of this code, for people. */
  readonly title: string;
  /** `https://kora.dev/problems/…`: stable. */
  readonly type: string;
  readonly status: number;
  /** Under which the call is found in Kora's log. */
  readonly correlationId: string;
  /** The payment that records the refusal, where one does. */
  readonly paymentId?: string;
  /** The payout that does. */
  readonly payoutId?: string;
  /** More about it, where there are several ways to it. */
  readonly reason?: string;
}

/**
 * An expected "no", told apart by `code`. A `switch` over it can be exhaustive; keep a default all the same, because a newer
 * Kora may know codes that this client does not.
 */
export type Refusal = {
  readonly [Code in RefusalCode]: Problem<Code> & (Code extends keyof Figures ? Figures[Code] : unknown);
}[RefusalCode];

/** Said before the command is looked at: it was not done this time, and nothing is said of an earlier time. */
const saidAtTheDoor: readonly string[] = [
  'Contended',
  'Forbidden',
  'NonceReplayed',
  'Overloaded',
  'RequestTimeout',
  'ShuttingDown',
  'SignatureInvalid',
  'SignatureRequired',
  'TimestampOutsideWindow',
  'TooManyRequests',
  'Unauthenticated',
] satisfies readonly RefusalCode[];

/** Whether a refusal also says that no earlier try of the command was carried out. */
export function isFinal({ code }: Refusal): boolean {
  return !saidAtTheDoor.includes(code);
}

/** The problem in an answer's body, of whatever kind. */
export function problemIn(body: unknown): Problem<string> | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { code, detail, status } = body as Partial<Record<string, unknown>>;
  const isProblem = typeof code === 'string' && typeof detail === 'string' && typeof status === 'number';
  return isProblem ? (body as Problem<string>) : undefined;
}

/** Whether a problem is a refusal: it says that nothing was done. */
export function isRefusal(problem: Problem<string>): problem is Refusal {
  return !(undecided as readonly string[]).includes(problem.code);
}
