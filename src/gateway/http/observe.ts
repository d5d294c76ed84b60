import type { FastifyInstance } from 'fastify';
import type { OpenSpan } from '../../platform/tracing/span.ts';
import type { DoorObserver } from '../door-observer.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Where somebody traces. */
    span: OpenSpan | undefined;
  }
}

/** Tells of every request that reaches the door's hooks, once its answer has left or its caller has gone. */
export function observeRequests(app: FastifyInstance, { answered, tracing }: DoorObserver): void {
  app.decorateRequest('span', undefined);
  if (answered === undefined && tracing === undefined) return;
  app.addHook('onRequest', (request, reply, done) => {
    const beganMs = performance.now();
    const { method, id: correlationId, headers, routeOptions } = request;
    const route = routeOptions.url;
    // The pattern of the route and not the path, which names people's things.
    const attributes = { 'http.request.method': method, 'http.route': route ?? 'none' };
    const traceparent = typeof headers['traceparent'] === 'string' ? headers['traceparent'] : undefined;
    const span = tracing?.begin('http.request', attributes, { traceparent, correlationId });
    request.span = span;
    // Not `onResponse`: it is not called where the caller goes first.
    reply.raw.once('close', () => {
      const { statusCode, writableFinished } = reply.raw;
      const status = writableFinished ? String(statusCode) : 'aborted';
      answered?.({ method, route, status, tookMs: performance.now() - beganMs });
      span?.end({
        attributes: { 'http.response.status_code': statusCode, ...(!writableFinished && { 'error.type': 'aborted' }) },
        failed: !writableFinished || statusCode >= 500,
      });
    });
    if (span === undefined) done();
    else span.run(done);
  });
}
