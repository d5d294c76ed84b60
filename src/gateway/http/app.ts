import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Authenticator } from '../principal.ts';
import { CORRELATION_HEADER, correlationIdOf } from './correlation.ts';
import { outcomeUnknown, problemOfError } from './errors.ts';
import { authenticate, authorize, checkCorrelationId } from './gate.ts';
import { acceptOnlyJson } from './json-body.ts';
import type { HttpLimits } from './limits.ts';
import type { DoorParts } from './parts.ts';
import { problem, ProblemError } from './problem.ts';
import { refuseUnreadable } from './unreadable.ts';
import { sendAnswer, sendProblem } from './reply.ts';
import type { Answer, Call, Route } from './route.ts';
import { schemaOf } from './route-schema.ts';
import { validatorCompiler } from './validation.ts';

/** What the door says of itself to its requests. */
export interface DoorState {
  /** Set when the door ends: answers close their connections. */
  draining: boolean;
  /** Set when it takes nothing more: requests on open connections are answered `ShuttingDown`. */
  closed: boolean;
}

export interface AppOptions {
  readonly authenticator: Authenticator;
  readonly routes: readonly Route[];
  readonly parts: DoorParts;
  readonly limits: HttpLimits;
  readonly logger: Logger;
  readonly state: DoorState;
}

/** Puts the door's server together: its hooks, its parser, its routes. Does not listen. */
export function createApp(options: AppOptions): FastifyInstance {
  const { limits, logger } = options;
  const app = fastify({
    logger: false,
    genReqId: correlationIdOf,
    bodyLimit: limits.bodyBytesMax,
    exposeHeadRoutes: false,
    // The door says itself that it is closing, as a problem.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: limits.idleMs,
    http: { headersTimeout: limits.headersMs, connectionsCheckingInterval: Math.min(1_000, limits.headersMs) },
    routerOptions: { maxParamLength: 200 },
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, request, reply) => {
      reply.header(CORRELATION_HEADER, request.id);
      return sendProblem(reply, problemOfError(error).problem);
    },
  });
  app.server.maxConnections = limits.connectionsMax;
  app.decorateRequest('principal', undefined);
  app.decorateRequest('rawBody', undefined);
  app.setValidatorCompiler(validatorCompiler);
  // Answers are sent as the handlers made them; tests hold them against their schemas.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  acceptOnlyJson(app);

  app.addHook('onRequest', async (request, reply) => {
    reply.header(CORRELATION_HEADER, request.id);
    if (options.state.draining) reply.header('connection', 'close');
    if (options.state.closed) {
      const detail = 'this process takes nothing more: send it again';
      throw new ProblemError(problem('ShuttingDown', detail, { headers: { 'retry-after': '1' } }));
    }
    checkCorrelationId(request);
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
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, problem('NotFound', 'there is nothing of this name')));
  app.setErrorHandler((error, request, reply) => {
    const { problem: answer, fault } = problemOfError(error);
    if (fault) {
      const { id: correlationId, routeOptions } = request;
      logger.error({ err: error, correlationId, route: routeOptions.url }, 'a call came to a fault');
    }
    return sendProblem(reply, answer);
  });
  return app;
}

/** Registers the routes of the table. */
export function registerRoutes(app: FastifyInstance, { authenticator, routes, parts, limits }: AppOptions): void {
  for (const route of routes) {
    const { access } = route;
    app.route({
      method: route.method,
      url: route.path,
      schema: schemaOf(route),
      onRequest: async (request) => {
        if (access === 'public') return;
        request.principal = await authenticate(request, authenticator);
        authorize(access, request.principal);
      },
      ...(route.bodyOptional === true && {
        preValidation: (request, _reply, done) => {
          request.body ??= {};
          done();
        },
      }),
      handler: async (request, reply) => {
        const work = route.handle(callOf(request, route) as Call<never, never, never, never>, parts);
        return sendAnswer(reply, await answeredWithin(limits.handlerMs, work));
      },
    });
  }
}

const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;

function callOf(request: FastifyRequest, route: Route): Call<unknown, unknown, unknown, unknown> {
  const { params, query, body, principal, id: correlationId, method, headers } = request;
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const idempotencyKey = header('idempotency-key') ?? '';
  if (route.idempotent === true && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
    const detail = 'Idempotency-Key: 1 to 255 printable characters of ASCII are wanted, new for each request';
    throw new ProblemError(problem('IdempotencyKeyMissing', detail));
  }
  return {
    params,
    query,
    body,
    principal,
    correlationId,
    idempotencyKey,
    method,
    path: request.url,
    header,
    rawBody: request.rawBody ?? Buffer.alloc(0),
    address: request.ip,
  };
}

/** Waits so long for an answer and no longer. The work goes on: a command that was taken cannot be called back. */
async function answeredWithin(ms: number, work: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Answer>((resolve) => {
    const late = problem('OutcomeUnknown', outcomeUnknown, { headers: { 'retry-after': '1' } });
    timer = setTimeout(() => resolve(late), ms);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
