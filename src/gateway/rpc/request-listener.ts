import { constants } from 'node:http2';
import { Code, ConnectError, createContextValues } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import {
  type connectNodeAdapter,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { DoorObserver } from '../door-observer.ts';
import { boundTimeout } from './bound-timeout.ts';
import type { DoorLog } from './door-log.ts';
import { observeCall, observedKey } from './observe.ts';
import { certificateKey, peerCertificateOf } from './connection-certificate.ts';

/** A listener for requests of HTTP/1.1 and HTTP/2. */
export type NodeHandlerFn = ReturnType<typeof connectNodeAdapter>;
type NodeRequest = Parameters<NodeHandlerFn>[0];
type NodeResponse = Parameters<NodeHandlerFn>[1];

/**
 * Hands requests to the handlers of the router. In place of Connect's own adapter, because that one throws out of the
 * listener at a `Host` header that is no host (which would end the process), and writes to the console.
 *
 * @param requestMs a request whose body has not arrived by then is cut off
 * @param closing aborted when connections are to be closed after the answers at work
 */
export function requestListener(
  handlers: readonly UniversalHandler[],
  options: {
    readonly requestMs: number;
    readonly closing: AbortSignal;
    readonly log: DoorLog;
    readonly observer: DoorObserver;
  },
): NodeHandlerFn {
  const byPath = new Map(handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    const handler = byPath.get(path);
    const observed = observeCall(options.observer, handler === undefined ? 'none' : path.slice(1), request, response);
    if (handler === undefined) {
      answerPlainly(response, 404, `there is no method ${path}: see proto/kora/v1`);
      return;
    }
    limitArrival(request, response, options.requestMs);
    if (request.httpVersionMajor === 1) closeAfterAnswer(response, options.closing);
    boundTimeout(request.headers);
    let universal;
    try {
      const values = createContextValues().set(certificateKey, peerCertificateOf(request));
      values.set(observedKey, observed);
      universal = universalRequestFromNodeRequest(request, response, undefined, values);
    } catch {
      answerPlainly(response, 400, 'the request names no host, or none that can be read');
      return;
    }
    const handle = (): ReturnType<UniversalHandler> => handler(universal);
    (observed?.span === undefined ? handle() : observed.span.run(handle))
      .then((answer) => {
        // Refused before it was there: the rest of it is not waited for.
        if (request.httpVersionMajor === 1 && !request.complete) response.setHeader('connection', 'close');
        return universalResponseToNodeResponse(answer, response);
      })
      .catch((error: unknown) => {
        // The caller went away, or broke the connection off: nobody is left to tell.
        if (ConnectError.from(error).code === Code.Aborted || response.destroyed) return;
        options.log.error({ err: error, path }, 'an answer could not be written');
        response.end();
      });
  };
}

/** HTTP/1.1 has a time-out for this in Node; HTTP/2 has none. */
function limitArrival(request: NodeRequest, response: NodeResponse, requestMs: number): void {
  if (!('stream' in request)) return;
  const { stream } = request;
  const timer = setTimeout(() => {
    // With a reason: a client may take a stream that ends without an error for one that it can go on writing to.
    if (!request.complete) stream.close(constants.NGHTTP2_CANCEL);
  }, requestMs);
  response.once('close', () => clearTimeout(timer));
}

/** HTTP/2 has a frame for this, HTTP/1.1 a header. */
function closeAfterAnswer(response: NodeResponse, closing: AbortSignal): void {
  const close = (): void => {
    if (!response.headersSent) response.setHeader('connection', 'close');
  };
  if (closing.aborted) {
    close();
    return;
  }
  closing.addEventListener('abort', close);
  response.once('close', () => closing.removeEventListener('abort', close));
}

/** For what no handler can answer: in the shape of a Connect error, so that clients show it. */
function answerPlainly(response: NodeResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ code: status === 404 ? 'unimplemented' : 'invalid_argument', message }));
}
