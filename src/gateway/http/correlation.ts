import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Ties calls, facts and log lines together. Taken from the caller or made here, and sent back with every answer. */
export const CORRELATION_HEADER = 'kora-correlation-id';

const CORRELATION = /^[\x21-\x7e]{1,128}$/;

type Request = Pick<IncomingMessage, 'headers'>;

/** Whether the caller sent an id that cannot be one. */
export function hasBadCorrelationId({ headers }: Request): boolean {
  const given = headers[CORRELATION_HEADER];
  return given !== undefined && !(typeof given === 'string' && CORRELATION.test(given));
}

/** The id of a request: the caller's, else a new one. */
export function correlationIdOf(request: Request): string {
  const given = request.headers[CORRELATION_HEADER];
  return typeof given === 'string' && !hasBadCorrelationId(request) ? given : randomUUID();
}
