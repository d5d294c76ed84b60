import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { problem, problemDocument, statusOf } from './problem.ts';
import { CORRELATION_HEADER } from './correlation.ts';

/** Answers what is no request, or did not arrive in time, and closes the connection: no handler ever sees it. */
export function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const answer =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? problem('RequestTimeout', 'the request did not arrive in time')
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? problem('HeadersTooLarge', 'the headers are larger than any request needs')
        : problem('Invalid', 'this is no request of HTTP/1.1');
  const correlationId = randomUUID();
  const body = JSON.stringify(problemDocument(answer, correlationId));
  socket.end(
    [
      `HTTP/1.1 ${statusOf(answer)} Refused`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      `${CORRELATION_HEADER}: ${correlationId}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
