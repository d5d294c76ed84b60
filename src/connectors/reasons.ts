import type { BankSendResult } from './bank-connector.ts';

/** Why not one byte was written. */
export type NotSentCode =
  /** `sendBefore` had come. */
  | 'TooLate'
  /** The bulkhead is full. */
  | 'Busy'
  | 'BreakerOpen'
  | 'NoSuchConnector'
  | 'Stopping'
  /** Refused connection, DNS, TLS handshake. */
  | 'ConnectFailed'
  | 'ConnectTimeout'
  /** It cannot be written as a request: a character that no header may have. */
  | 'Unsendable'
  /** The line could not be written, and it is certain that it is not there. */
  | 'WriteFailed'
  /** Another process has the folder. */
  | 'Locked';

export function notSent(code: NotSentCode, detail?: string): Extract<BankSendResult, { outcome: 'not_sent' }> {
  return { outcome: 'not_sent', reason: detail === undefined ? code : `${code}: ${detail}` };
}

/** The code of a reason: what is before its colon. */
export function codeOf(reason: string): string {
  return reason.split(':', 1)[0] ?? reason;
}

/** What an error of Node is, without what it says: messages may quote what is secret. */
export function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0]);
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === 'string' || typeof code === 'number') return String(code);
  return typeof name === 'string' ? name : 'Error';
}
