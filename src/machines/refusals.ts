import type { Refusal } from '../kernel/refusal.ts';

/** The refusals of the machines, with their sentences: one place, so that a retry gets the same words again. */
type Of<Code extends Refusal['code']> = Extract<Refusal, { code: Code }>;

/** Refusals of a create that are recorded on the payment (Initiated + Failed), because they rest on other actors. */
export type RecordedRefusal = Of<'InsufficientFunds' | 'AccountFrozen' | 'AccountClosed' | 'RefundExceedsCaptured'>;

export const invalid = (field: string, message: string): Of<'Invalid'> => ({ code: 'Invalid', message, field });

export const notFound = (what: Of<'NotFound'>['what'], id: string): Of<'NotFound'> => ({
  code: 'NotFound',
  message: `there is no ${what} ${id}`,
  what,
  id,
});

export const insufficientFunds = (accountId: string, available: string, asked: string): Of<'InsufficientFunds'> => ({
  code: 'InsufficientFunds',
  message: `account ${accountId} has ${available} available, ${asked} was asked`,
  accountId,
  available,
  asked,
});

export const accountFrozen = (accountId: string): Of<'AccountFrozen'> => ({
  code: 'AccountFrozen',
  message: `account ${accountId} is frozen: it cannot be debited`,
  accountId,
});

export const accountClosed = (accountId: string): Of<'AccountClosed'> => ({
  code: 'AccountClosed',
  message: `account ${accountId} is closed`,
  accountId,
});

export const accountExists = (accountId: string): Of<'AccountExists'> => ({
  code: 'AccountExists',
  message: `account ${accountId} exists already`,
  accountId,
});

export const accountNotEmpty = (figures: Omit<Of<'AccountNotEmpty'>, 'code' | 'message'>): Of<'AccountNotEmpty'> => ({
  code: 'AccountNotEmpty',
  message: `account ${figures.accountId} is closed only when posted, held and open payments are 0`,
  ...figures,
});

export const illegalTransition = (
  state: string,
  command: string,
  allowed: readonly string[],
  why?: string,
): Of<'IllegalTransition'> => ({
  code: 'IllegalTransition',
  message:
    why ?? `${command} is not allowed in ${state}; allowed: ${allowed.length === 0 ? 'nothing' : allowed.join(', ')}`,
  state,
  command,
  allowed,
});

export const holdExpired = (expiresAt: string): Of<'HoldExpired'> => ({
  code: 'HoldExpired',
  message: `the hold expired at ${expiresAt}`,
  expiresAt,
});

export const instructionLive = (connector: string): Of<'InstructionLive'> => ({
  code: 'InstructionLive',
  message: `connector ${connector} is at it: nothing else can happen to the payment until its outcome is known`,
  connector,
});

export const captureExceedsAuthorized = (authorized: string, asked: string): Of<'CaptureExceedsAuthorized'> => ({
  code: 'CaptureExceedsAuthorized',
  message: `${authorized} is authorized, a capture of ${asked} was asked`,
  authorized,
  asked,
});

export const refundExceedsCaptured = (refundable: string, asked: string): Of<'RefundExceedsCaptured'> => ({
  code: 'RefundExceedsCaptured',
  message: `${refundable} can still be refunded, ${asked} was asked`,
  refundable,
  asked,
});

export const paymentFailed = (reason: string): Of<'PaymentFailed'> => ({
  code: 'PaymentFailed',
  message: `the payment failed: ${reason}`,
  reason,
});

/** @param target what the key was used on, where that is something else than is asked for now */
export const idempotencyConflict = (commandId: string, target?: string): Of<'IdempotencyConflict'> => ({
  code: 'IdempotencyConflict',
  message: `this idempotency key was used for something else${target === undefined ? '' : `, on ${target}`}`,
  commandId,
});
