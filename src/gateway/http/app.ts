import { fastify, type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { DoorObserver } from '../door-observer.ts';
import { CORRELATION_HEADER, correlationIdOf } from './correlation.ts';
import { nothingHere, problemOfError } from './errors.ts';
import { checkCorrelationId } from './gate.ts';
import { acceptBodies } from './json-body.ts';
import type { HttpLimits } from './limits.ts';
import { observeRequests } from './observe.ts';
import { problem, ProblemError } from './problem.ts';
import { sendProblem } from './reply.ts';
import { type HttpTls, serverOptionsOf } from './tls.ts';
import { refuseUnreadable } from './unreadable.ts';
import { validatorCompiler } from './validation.ts';

/** What the door says of itself to its requests. */
export interface DoorState {
  /** Set when the door ends: answers close their connections. */
  draining: boolean;
  /** Set when it takes nothing more: requests on open connections are answered `ShuttingDown`. */
  closed: boolean;
}

export interface AppOptions {
  readonly limits: HttpLimits;
  readonly logger: Logger;
  readonly state: DoorState;
  readonly trustedProxies: readonly string[];
  readonly observer: DoorObserver;
  readonly tls: HttpTls | undefined;
}

/** Makes the door's server: its time-outs, its parser, and what holds for every request. It has no routes yet. */
export function createApp(options: AppOptions): FastifyInstance {
  const { limits, logger, state, trustedProxies, observer, tls } = options;
  const server = { headersTimeout: limits.headersMs, connectionsCheckingInterval: Math.min(1_000, limits.headersMs) };
  const app = fastify({
    logger: false,
    genReqId: correlationIdOf,
    bodyLimit: limits.bodyBytesMax,
    exposeHeadRoutes: false,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    // The door says itself that it is closing, as a problem.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: limits.idleMs,
    http: server,
    // Where it is undefined it speaks in clear; the types know only one of the two.
    ...(tls && ({ https: { ...server, ...serverOptionsOf(tls, limits.headersMs) } } as object)),
    routerOptions: { maxParamLength: 200 },
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, request, reply) => {
      reply.header(CORRELATION_HEADER, request.id);
      const { problem: answer, fault } = problemOfError(error, request.method);
      if (fault) logger.error({ err: error, correlationId: request.id }, 'a call came to a fault');
      void sendProblem(reply, answer);
    },
  });
  app.server.maxConnections = limits.connectionsMax;
  app.decorateRequest('principal', undefined);
  app.decorateRequest('rawBody', undefined);
  app.setValidatorCompiler(validatorCompiler);
  // Answers are sent as the handlers made them; tests hold them against their schemas.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  acceptBodies(app);

  observeRequests(app, observer);
  app.addHook('onRequest', async (request, reply) => {
    reply.header(CORRELATION_HEADER, request.id);
    // Answers are about money: nobody on the way keeps them.
    reply.header('cache-control', 'no-store');
    if (state.closed) {
      const detail = 'this process takes nothing more: send it again';
      throw new ProblemError(problem('ShuttingDown', detail, { headers: { 'retry-after': '1' } }));
    }
    checkCorrelationId(request);
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // Also of what came before the end began: its connection is not to be waited for.
    if (state.draining) reply.header('connection', 'close');
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method, id: correlationId, routeOptions, principal } = request;
    const { statusCode: status, elapsedTime } = reply;
    const fields = { correlationId, method, route: routeOptions.url, status, ms: Math.round(elapsedTime) };
    const line = principal === undefined ? fields : { ...fields, principal: principal.principal };
    if (status < 400) logger.debug(line, 'answered');
    else logger.info(line, 'refused');
    done();
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, nothingHere));
  app.setErrorHandler((error, request, reply) => {
    const { problem: answer, fault } = problemOfError(error, request.method);
    if (fault) {
      const { id: correlationId, routeOptions } = request;
      logger.error({ err: error, correlationId, route: routeOptions.url }, 'a call came to a fault');
    }
    return sendProblem(reply, answer);
  });
  return app;
}
