import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Ties calls, facts and log lines together. Taken from the caller or made here, and sent back with every answer. */
export const CORRELATION_HEADER = 'kora-correlation-id';

const CORRELATION = /^[\x21-\x7e]{1,128}$/;

/** The id that the caller sent, where it can be one. */
export function givenCorrelationId({ headers }: Pick<IncomingMessage, 'headers'>): string | 'none' | 'bad' {
  const given = headers[CORRELATION_HEADER];
  if (given === undefined) return 'none';
  return typeof given === 'string' && CORRELATION.test(given) ? given : 'bad';
}

/** The id of a request: the caller's, else a new one. */
export function correlationIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = givenCorrelationId(request);
  return given === 'none' || given === 'bad' ? randomUUID() : given;
}
